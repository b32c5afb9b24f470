/**
 * One execution of the paid activity as Temporal sees it: its heartbeats, and why it has to stop. It owns the timers
 * that send heartbeats and end it; it never decides what becomes of a prediction.
 *
 * EXECUTION-1 The first heartbeat of an activity's first execution carries the prediction's id: Temporal sends the first
 *    at once, while a second heartbeat is throttled, and lost in a kill. An execution whose create takes longer sends one
 *    without the id, so as not to time out; the id is then safe in the claim, the signal and the provider's list.
 * EXECUTION-2 An execution that was suspended for longer than its heartbeat time-out (a laptop's lid, a stopped process)
 *    takes itself for timed out before the server says so, since another may run by now. An execution that was queued, or
 *    held by a suspended worker, for that long asks the server.
 * EXECUTION-3 It hands back before its time-out: an execution that times out is one of three, and delays the next one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { noteNames } from '../adapters/temporal/execution-names.js';
import type { Heartbeat } from '../contract/activities.js';
import { serverClock } from './server-clock.js';
import { WAITS } from './waits.js';

/** Why an execution has to stop early. `gone`: it was timed out, paused or reset, and another execution continues. */
export type Interruption = 'cancel' | 'handover' | 'gone';

/** EXECUTION-3: an execution with a short time-out hands back when this share of it is left. */
const HAND_BACK_SHARE = 1 / 4;

export class Execution implements Disposable {
  readonly context = Context.current();
  readonly state: Heartbeat;
  /** Aborted as soon as the execution has to stop. */
  readonly signal: AbortSignal;
  readonly #firstBeat: NodeJS.Timeout;
  #beats: NodeJS.Timeout | null = null;
  #handBack: NodeJS.Timeout | null = null;
  readonly #stop = new AbortController();
  /** By the wall clock: the monotonic one stands still while the machine sleeps. */
  #awakeAt = Date.now();
  #wasSuspended = false;
  /** It waited for so long before it began that the server may have taken it for dead. */
  readonly isLate: boolean;

  constructor(state: Heartbeat) {
    this.state = { ...state };
    this.isLate = this.#beganLate();
    this.signal = AbortSignal.any([this.context.cancellationSignal, this.#stop.signal]);
    const { heartbeatTimeoutMs = Infinity } = this.info;
    this.#firstBeat = setTimeout(
      () => {
        if (this.#beats === null) this.beat({});
      },
      Math.min(WAITS.first_heartbeat, heartbeatTimeoutMs / 2),
    );
  }

  /** EXECUTION-3 */
  handBackInTime(): void {
    const { startToCloseTimeoutMs: time } = this.info;
    this.#handBack = setTimeout(
      () => {
        this.#stop.abort();
      },
      Math.max(time - WAITS.hand_back, time * (1 - HAND_BACK_SHARE)),
    );
  }

  get info(): Context['info'] {
    return this.context.info;
  }

  get workflowId(): string {
    return this.#workflow.workflowId;
  }

  get runId(): string {
    return this.#workflow.runId;
  }

  get #workflow(): { workflowId: string; runId: string } {
    const { workflowExecution } = this.info;
    if (workflowExecution === undefined) throw new Error('expected to run inside a workflow');
    return workflowExecution;
  }

  /** True when no earlier execution of this activity can have done anything. */
  get isFirst(): boolean {
    const { attempt, scheduledTimestampMs, currentAttemptScheduledTimestampMs } = this.info;
    // `temporal activity reset` starts again at attempt 1, but not at the first schedule.
    return attempt === 1 && scheduledTimestampMs === currentAttemptScheduledTimestampMs;
  }

  #beganLate(): boolean {
    const { heartbeatTimeoutMs: limit = 0, currentAttemptScheduledTimestampMs: since } = this.info;
    const own = Date.now() - since;
    const known = serverClock.now() - since;
    // Far below zero: this machine's clock is behind by an unknown time, and so proves nothing.
    return limit > 0 && (own > limit || known > limit || own < -limit);
  }

  get interruption(): Interruption | null {
    this.#noticeSuspension();
    if (this.context.cancellationSignal.aborted) {
      const details = this.context.cancellationDetails;
      if (details?.cancelRequested) return 'cancel';
      return details?.workerShutdown ? 'handover' : 'gone';
    }
    if (this.#wasSuspended) return 'gone';
    return this.#stop.signal.aborted ? 'handover' : null;
  }

  /** Sends what is known now, and repeats it every second. */
  beat(change: Partial<Heartbeat>): void {
    this.#noticeSuspension();
    Object.assign(this.state, change);
    const { attempt, prediction_id } = this.state;
    noteNames(this.context, {
      clip_attempt: attempt,
      ...(prediction_id === null ? {} : { prediction_id }),
    });
    this.context.heartbeat({ ...this.state });
    this.#awakeAt = Date.now();
    this.#beats ??= setInterval(() => {
      this.#noticeSuspension();
      this.context.heartbeat({ ...this.state });
    }, WAITS.heartbeat);
  }

  /** EXECUTION-2; before its first heartbeat the server hears nothing, so the silence counts from the start. */
  #noticeSuspension(): void {
    const { heartbeatTimeoutMs: limit } = this.info;
    const now = Date.now();
    if (limit && now - this.#awakeAt > limit) {
      this.#wasSuspended = true;
      this.#stop.abort();
    }
    if (this.#beats !== null) this.#awakeAt = now;
  }

  /** Waits; returns early when the execution has to stop. */
  readonly wait = async (milliseconds: number): Promise<void> => {
    const { signal } = this;
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#firstBeat);
    if (this.#handBack !== null) clearTimeout(this.#handBack);
    if (this.#beats !== null) clearInterval(this.#beats);
  }
}
