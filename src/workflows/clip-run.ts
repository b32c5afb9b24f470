/**
 * One clip: generate → store, and the facts of it. Part of the job's workflow, with one cancellation scope a phase.
 *
 * G1 Attempts are predictions, not executions: executions used up by time-outs, crashes or deploys are run again.
 * G2 A prediction that succeeded is stored, also when the budget of time ran out meanwhile.
 * G4 A clip is over only when each of its predictions is.
 */
import { isCancellation, sleep } from '@temporalio/workflow';
import type {
  AttemptOver,
  CanceledExecution,
  GenerateClipInput,
  Rendered,
  StoreClipResult,
} from '../domain/activity.js';
import { backoffSeconds, MAX_ATTEMPTS, problem } from '../domain/failure-kinds.js';
import type { Problem } from '../domain/failure-kinds.js';
import type { Clip, ClipEventType, Prediction } from '../domain/job.js';
import type { ResolvedClip } from '../domain/resolved.js';
import { paidActivities } from './activities.js';
import * as given from './activity-input.js';
import { Attempts } from './attempts.js';
import {
  attemptOver,
  canceledExecution,
  causeOf,
  isInterruption,
  lastHeard,
  storingProblem,
} from './activity-failure.js';
import { ClipLedger } from './clip-ledger.js';
import { ClipOver, canceled, late, unaffordable } from './clip-over.js';
import { completed } from './completed-clip.js';
import type { ClipMemory } from './contract.js';
import { Endable, Ended } from './endable.js';
import type { JobContext } from './job-context.js';
import { isOfEarlierTime } from './left-behind.js';
import type { Left } from './left-behind.js';
import { bookEnd, endLostOf, settleClip, settleEarlier } from './settle-clip.js';
import { storeRendered } from './store-rendered.js';

const now = (): string => new Date().toISOString();

export class ClipRun {
  readonly #job: JobContext;
  readonly #clip: ResolvedClip;
  readonly #ledger: ClipLedger;
  readonly #since = now();
  readonly #attempts: Attempts;
  /** What the provider said when it made the attempt wait, until it let it through. */
  #throttled: string | null = null;
  readonly #endable = new Endable();
  /** The paid activity was asked and has not answered; `resume`: the prediction it was last heard of with. */
  #unanswered: { resume: string | null } | null = null;
  readonly #left: Left;

  constructor(job: JobContext, clip: ResolvedClip, { predictions }: Clip, left: Left) {
    this.#job = job;
    this.#clip = clip;
    this.#left = left;
    this.#ledger = new ClipLedger(predictions);
    this.#attempts = new Attempts(() => job.budget.reserve(clip.clip_index));
  }

  get #index(): number {
    return this.#clip.clip_index;
  }

  get lines(): readonly Prediction[] {
    return this.#ledger.all;
  }

  memory(others: string[]): ClipMemory {
    return {
      ...this.#attempts.memory,
      predictions: [...this.#ledger.round],
      claimed: [...this.#ledger.earlier.map(({ id }) => id), ...others],
    };
  }

  cancel(): void {
    this.#endable.cancel();
  }

  /** From the activity, once an attempt: the prediction that exists now. */
  onPredictionCreated(prediction: Prediction): void {
    this.#throttled = null;
    if (!this.#ledger.enter(prediction)) return;
    this.#record('clip.submitted', {
      status: 'running',
      attempt: prediction.attempt,
      next_attempt_at: null,
    });
  }

  /** The provider lets nothing be created for now. */
  onRateLimited(message: string): void {
    this.#throttled = message;
  }

  /** This attempt is over, and the next is due in `delay` seconds, if the cap allows it. */
  onAttemptFailed(over: AttemptOver): void {
    if (over.prediction !== null) this.#ledger.enter(over.prediction);
    // What the activity was handed was of this attempt; of what it creates in the next, nobody has heard.
    if (over.attempt > this.#attempts.over) this.#unanswered &&= { resume: null };
    if (this.#attempts.end(over)) this.#record('clip.retrying', this.#attempts.retrying);
  }

  /** A next attempt that did not fit may fit now. */
  onCapChanged(): void {
    if (this.#attempts.grant()) this.#record('clip.retrying', this.#attempts.retrying);
  }

  /** Runs the clip to its end; never rejects, whatever happens to the clip. */
  async run(): Promise<void> {
    this.#record('clip.started', {
      status: 'running',
      attempt: 1,
      started_at: this.#since,
      completed_at: null,
      error: null,
    });
    try {
      const stored = await this.#generateAndStore();
      // G4: an execution that was cut off may have left a second one.
      await settleClip(this.#job, this.#clip, this.#ledger);
      this.#complete(stored);
    } catch (over) {
      if (!(over instanceof ClipOver)) throw over;
      this.#fail(over.error);
    } finally {
      this.#job.budget.release(this.#index);
    }
  }

  async #generateAndStore(): Promise<StoreClipResult> {
    const { prediction: left } = this.#left;
    const { found, goesOn } = await settleEarlier(this.#job, this.#clip, this.#ledger, left);
    if (goesOn) this.#record('clip.submitted', { attempt: 1 });
    if (found !== null) this.#job.budget.release(this.#index);
    let rendered = found;
    for (;;) {
      const video: Rendered = rendered ?? (await this.#rendered());
      this.#record('clip.storing', { status: 'storing', next_attempt_at: null, error: null });
      try {
        return await this.#inScope(() => storeRendered(this.#clip, video), { timed: false });
      } catch (error) {
        const cause = causeOf(error);
        if (cause === undefined) throw error;
        await this.#inScope(() => sleep(this.#storingFailed(cause) * 1000), { timed: true });
        rendered = null;
      }
    }
  }

  #rendered(): Promise<Rendered> {
    return this.#inScope(() => this.#generate(), { timed: true, salvage: (found) => found });
  }

  /** Runs the paid activity until an attempt succeeds or none is left. */
  async #generate(): Promise<Rendered> {
    let resume = this.#ledger.openOf(this.#attempts.over + 1)?.id ?? null;
    let unclear = false;
    for (;;) {
      try {
        this.#unanswered = { resume };
        const result = await this.#execute({ resume, unclear });
        this.#unanswered = null;
        if (result.outcome === 'succeeded') {
          this.#ledger.enter(result.prediction);
          // Settled, so it counts as spent from here on; storing costs nothing.
          this.#job.budget.release(this.#index);
          return result;
        }
        ({ prediction_id: resume, unclear } = result);
      } catch (error) {
        const cause = causeOf(error);
        if (isCancellation(error) || cause === undefined) throw error;
        if (isInterruption(cause)) {
          resume = this.#stillRunning(cause);
          unclear = resume === null;
        } else {
          if (attemptOver(cause) !== null) this.#unanswered = null;
          await sleep(this.#attemptFailed(cause) * 1000);
          resume = null;
          unclear = false;
        }
      }
    }
  }

  /** The prediction of the attempt under way; what was heard may be of the one before. */
  #stillRunning(cause: Error): string | null {
    const beat = lastHeard(cause);
    const heard = beat?.failed_attempts === this.#attempts.over ? beat.prediction_id : null;
    return heard ?? this.#ledger.openOf(this.#attempts.over + 1)?.id ?? null;
  }

  #execute(memory: Pick<GenerateClipInput, 'resume' | 'unclear'>) {
    const { plan, timings, paidTaskQueue } = this.#job;
    const options = given.generateClipOptions(this.#clip);
    const input = given.generateClipInput(plan, this.#clip, { ...memory, ...this.#state() });
    return paidActivities(paidTaskQueue, timings).generateClip.executeWithOptions(options, [input]);
  }

  #state() {
    const known = this.#ledger.all.map(({ id }) => id);
    const failed_attempts = this.#attempts.over;
    const cut_off = failed_attempts === 0 ? this.#left.since : null;
    return { failed_attempts, since: this.#since, known, cut_off };
  }

  /** G4: a create whose execution died in the middle of it may have come through. */
  async #endLost(): Promise<CanceledExecution | null> {
    const asked = this.#unanswered;
    if (asked === null || this.#ledger.openOf(this.#attempts.over + 1) !== null) return null;
    const state = { ...asked, ...this.#state() };
    const end = await endLostOf(this.#job, given.endLostInput(this.#job.plan, this.#clip, state));
    if (end === null) this.#job.budget.countUnknown(this.#index);
    return end;
  }

  /** A failure that Temporal no longer retries: the seconds until the next attempt, or the end of the clip. */
  #attemptFailed(cause: Error): number {
    const over = attemptOver(cause);
    if (over === null) throw new ClipOver(problem('internal', cause.message));
    const retryable = over.error.retryable || isOfEarlierTime(over, this.#since);
    if (retryable) return this.#tryAgain({ ...over, error: { ...over.error, retryable } });
    if (over.prediction !== null) this.#ledger.enter(over.prediction);
    throw new ClipOver(over.error);
  }

  /** Storing gave up: only a wrong duration is worth a new prediction. */
  #storingFailed(cause: Error): number {
    const error = storingProblem(cause);
    const attempt = this.#attempts.over + 1;
    if (error.kind !== 'wrong_duration' || attempt >= MAX_ATTEMPTS) {
      throw new ClipOver({ ...error, retryable: false });
    }
    return this.#tryAgain({ attempt, prediction: null, error, delay: backoffSeconds(attempt) });
  }

  #tryAgain(over: AttemptOver): number {
    this.onAttemptFailed(over);
    if (this.#attempts.isGranted) return over.delay;
    throw unaffordable(over.error);
  }

  /**
   * Runs work that `cancel` (and, when `timed`, the clip's budget of time) can end, and turns its end into the
   * clip's. Nothing is left running at the provider afterwards; `salvage` takes what had been rendered by then.
   */
  async #inScope<T>(
    work: () => Promise<T>,
    { timed, salvage }: { timed: boolean; salvage?: (rendered: Rendered) => T },
  ): Promise<T> {
    const { clip_timeout } = this.#job.plan;
    const left = Date.parse(this.#since) + clip_timeout * 1000 - Date.now();
    try {
      return await this.#endable.run(work, timed ? left : null);
    } catch (error) {
      if (!(error instanceof Ended) && !(error instanceof ClipOver)) throw error;
      const end = error instanceof Ended ? canceledExecution(error.cause) : null;
      const booked = bookEnd(this.#ledger, end ?? (await this.#endLost()));
      this.#unanswered = null;
      const rendered = (await settleClip(this.#job, this.#clip, this.#ledger)) ?? booked;
      if (this.#endable.ending === 'canceled') throw canceled();
      if (rendered !== null && salvage !== undefined) return salvage(rendered); // G2
      throw error instanceof ClipOver ? error : late(clip_timeout, this.#throttled);
    }
  }

  #complete(stored: StoreClipResult): void {
    const submitted = this.#ledger.round[0]?.created_at ?? null;
    this.#record('clip.completed', completed(this.#clip, stored, submitted, now()));
  }

  #fail(error: Problem): void {
    const isCanceled = error.kind === 'canceled' && this.#endable.ending === 'canceled';
    this.#record(isCanceled ? 'clip.canceled' : 'clip.failed', {
      status: isCanceled ? 'canceled' : 'failed',
      completed_at: now(),
      next_attempt_at: null,
      error,
    });
    if (!isCanceled) this.#job.onClipFailed(error);
  }

  #record(type: ClipEventType, change: Partial<Clip>): void {
    this.#job.log.recordClip(type, this.#index, {
      predictions: [...this.#ledger.all],
      cost_usd: this.#ledger.knownCost,
      ...change,
    });
  }
}
