/** Time-outs of activities, in seconds: the only place. Those of the paid activity are frozen with each job's plan. */

export interface Timings {
  start_to_close: number;
  heartbeat: number;
}

/** An execution of the paid activity hands back before its 120 s are over; a worker that is silent for 5 s is gone. */
export const PAID_TIMINGS: Timings = { start_to_close: 120, heartbeat: 5 };

/**
 * The heartbeat time-out of unpaid activities. They beat each second, and each fourth second while they wait for a download
 * slot; on a busy machine some beats come late.
 */
export const UNPAID_HEARTBEAT = 10;
