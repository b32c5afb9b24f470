/**
 * The Temporal server's clock. Every time that a workflow hands to an activity (`since`, `deadline`, `next_attempt_at`) or
 * gets from one (times of the ledger, `renew_at`, `until`) is by this clock, which may be hours from this machine's. One
 * for the process, since there is one server.
 *
 * SERVER-CLOCK-1 A timestamp of the server is already past when it is received: it gives a lower bound of how far ahead the
 *    server's clock is. The highest bound counts: one activity that is picked up at once makes it exact.
 * SERVER-CLOCK-2 It is measured against the monotonic clock: a jump of this machine's own clock changes nothing.
 * SERVER-CLOCK-3 Clocks that may agree are taken to agree: where nothing is wrong nothing is converted.
 */
import type { Context } from '@temporalio/activity';
import type { Deps } from './deps.js';

/** Milliseconds that a task may be on its way when the clocks agree. */
const TOLERANCE = 5_000;
/** Tests may leave timestamps out: a moment before this program was written is ignored. */
const EARLIEST = Date.UTC(2024, 0);

export class ServerClock {
  /** The server's clock minus our monotonic one, at least, in milliseconds. */
  #least = -Infinity;

  /** `moment`: of the server's clock, not later than `at`, which is of performance.now. */
  hear(moment: number, at = performance.now()): void {
    if (moment >= EARLIEST) this.#least = Math.max(this.#least, moment - at);
  }

  /** Whole milliseconds by which the server's clock is ahead of this machine's; 0 when they may agree (SERVER-CLOCK-3). */
  get ahead(): number {
    if (this.#least === -Infinity) return 0;
    const ahead = this.#least - (Date.now() - performance.now());
    return Math.abs(ahead) <= TOLERANCE ? 0 : Math.round(ahead);
  }

  /** Milliseconds since 1970, by the server's clock. */
  now(): number {
    return Date.now() + this.ahead;
  }

  /** A time of the server's clock in so many milliseconds from now. */
  in(milliseconds: number): string {
    return new Date(this.now() + milliseconds).toISOString();
  }
}

export const serverClock = new ServerClock();

/**
 * What an activity begins with: the clock learns from the activity's own times, and, when the clocks seem to differ (or
 * the activity was queued), from the server, which knows when it handed the activity out. When the server does not answer,
 * the clock stays as it is.
 */
export async function learnServerTime(
  { workflow }: Pick<Deps, 'workflow'>,
  { info, log }: Context,
): Promise<void> {
  const begun = performance.now();
  const { activityId, workflowExecution, currentAttemptScheduledTimestampMs } = info;
  serverClock.hear(currentAttemptScheduledTimestampMs, begun);
  if (serverClock.ahead === 0 || workflowExecution === undefined) return;
  try {
    const own = workflow(workflowExecution.workflowId, workflowExecution.runId);
    const started = await own.startedAt(activityId);
    if (started !== null) serverClock.hear(started, begun);
  } catch (error) {
    log.warn("the server's time could not be asked for", { error });
  }
}

/** A time by a clock that is so many milliseconds `ahead` of this machine's, by the server's clock. */
export const asServerTime = (time: string, { ahead }: { ahead: number }): string => {
  const shift = serverClock.ahead - ahead;
  return shift === 0 ? time : new Date(Date.parse(time) + shift).toISOString();
};
