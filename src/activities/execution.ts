/**
 * One execution of the paid activity as Temporal sees it: its heartbeats, and why it should stop.
 * It owns the timers that beat and end it; it never decides what becomes of a prediction.
 *
 * X1 The first heartbeat of an activity's first execution carries the prediction's id: only the first is sent at
 *    once, a second within the throttle is lost by a kill. One whose create takes longer beats before, for its silence
 *    must not be taken for death; its id is then safe by claim, signal and list.
 * X2 One that was suspended for longer than its heartbeat time-out (a laptop's lid, a stopped process) takes
 *    itself for gone before it hears so: another may have gone on meanwhile. One that lay in the queue, or in the hands
 *    of a suspended worker, for as long before it began asks.
 * X3 It hands back before its time-out: an execution that times out is one of three, and holds up who goes on.
 */
import { Context } from '@temporalio/activity';
import type { Heartbeat } from '../contract/activities.js';
import { serverClock } from './server-clock.js';

/** Why an execution has to end early. `gone`: timed out, paused or reset; somebody else goes on. */
export type Interruption = 'cancel' | 'handover' | 'gone';

const BEAT = 1_000;
/** X1: milliseconds of silence at most; a create is answered within them as a rule. */
const SILENCE = 2_000;
/** X3: milliseconds before the time-out; as long as a create may take that was begun at the last moment. */
const MARGIN = 10_000;
/** X3: where an execution may take little time, the same as a share of it. */
const SHARE = 1 / 4;

export class Execution {
  readonly context = Context.current();
  readonly state: Heartbeat;
  /** Aborted as soon as the execution has to end. */
  readonly signal: AbortSignal;
  #beating: NodeJS.Timeout | null = null;
  readonly #silent: NodeJS.Timeout;
  #ending: NodeJS.Timeout | null = null;
  readonly #over = new AbortController();
  /** Wall clock: the monotonic one stands still while the machine sleeps. */
  #awakeAt = Date.now();
  #overslept = false;
  /** It lay somewhere for so long that the server may have taken it for dead before it began. */
  readonly isLate: boolean;

  constructor(state: Heartbeat) {
    this.state = { ...state };
    this.isLate = this.#wasLate();
    this.signal = AbortSignal.any([this.context.cancellationSignal, this.#over.signal]);
    const { heartbeatTimeoutMs: most = Infinity } = this.info;
    this.#silent = setTimeout(
      () => {
        if (this.#beating === null) this.beat({});
      },
      Math.min(SILENCE, most / 2),
    );
  }

  /** X3 */
  handBackInTime(): void {
    const { startToCloseTimeoutMs: time } = this.info;
    this.#ending = setTimeout(
      () => {
        this.#over.abort();
      },
      Math.max(time - MARGIN, time * (1 - SHARE)),
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

  #wasLate(): boolean {
    const { heartbeatTimeoutMs: most = 0, currentAttemptScheduledTimestampMs: since } = this.info;
    const own = Date.now() - since;
    const known = serverClock.now() - since;
    // Below zero: this machine's clock is behind by nobody knows how much, and so proves nothing.
    return most > 0 && (own > most || known > most || own < -most);
  }

  get interruption(): Interruption | null {
    this.#look();
    if (this.context.cancellationSignal.aborted) {
      const details = this.context.cancellationDetails;
      if (details?.cancelRequested) return 'cancel';
      return details?.workerShutdown ? 'handover' : 'gone';
    }
    if (this.#overslept) return 'gone';
    return this.#over.signal.aborted ? 'handover' : null;
  }

  /** Says what is known now, and goes on saying it every second. */
  beat(change: Partial<Heartbeat>): void {
    this.#look();
    Object.assign(this.state, change);
    this.context.heartbeat({ ...this.state });
    this.#awakeAt = Date.now();
    this.#beating ??= setInterval(() => {
      this.#look();
      this.context.heartbeat({ ...this.state });
    }, BEAT);
  }

  /** X2; until the first beat the server hears nothing, so the silence counts from the start. */
  #look(): void {
    const { heartbeatTimeoutMs: most } = this.info;
    const now = Date.now();
    if (most && now - this.#awakeAt > most) {
      this.#overslept = true;
      this.#over.abort();
    }
    if (this.#beating !== null) this.#awakeAt = now;
  }

  /** Waits; returns early when the execution has to stop. */
  async wait(milliseconds: number): Promise<void> {
    const { signal } = this;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#silent);
    if (this.#ending !== null) clearTimeout(this.#ending);
    if (this.#beating !== null) clearInterval(this.#beating);
  }
}
