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
import type { Prediction } from '../domain/job.js';
import type { ResolvedClip } from '../domain/resolved.js';
import { paidActivities, reattaching } from './activities.js';
import * as given from './activity-input.js';
import {
  attemptOver,
  canceledExecution,
  causeOf,
  isInterruption,
  lastHeard,
  storingProblem,
  wasNeverStarted,
} from './activity-failure.js';
import { isOfEarlierTime } from './clip-book.js';
import type { ClipBook, Left } from './clip-book.js';
import { ClipOver, canceled, late, unaffordable } from './clip-over.js';
import { completed } from './completed-clip.js';
import type { ClipMemory } from './contract.js';
import { Endable, Ended } from './endable.js';
import type { JobState } from './job-state.js';
import { bookEnd, endLostOf, settleClip, settleEarlier } from './settle-clip.js';
import { storeRendered } from './store-rendered.js';

const now = (): string => new Date().toISOString();

/** The place among the clips that may have a prediction alive. */
export interface Slot {
  leave(): void;
  /** Resolves when it is held (again); rejects when the clip is canceled first. */
  again(): Promise<void>;
}

export class ClipRun {
  readonly #job: JobState;
  readonly #clip: ResolvedClip;
  readonly #book: ClipBook;
  readonly #slot: Slot;
  readonly #left: Left;
  readonly #since = now();
  readonly #endable: Endable;
  /** When the provider could first have been asked: the clip's time counts from then. */
  #askedAt: string | null = null;
  /** What the provider said when it made the attempt wait, until it let it through. */
  #throttled: string | null = null;
  /** The paid activity was asked and has not answered; `resume`: the prediction it was last heard of with. */
  #unanswered: { resume: string | null } | null = null;
  /** How often in a row no worker has come for the paid activity. */
  #passedBy = 0;

  constructor(job: JobState, index: number, slot: Slot) {
    this.#job = job;
    this.#clip = job.images.clip(index);
    this.#book = job.book(index);
    this.#slot = slot;
    this.#left = this.#book.begin();
    this.#endable = new Endable(job.clock);
  }

  get #index(): number {
    return this.#clip.clip_index;
  }

  memory(others: string[]): ClipMemory {
    return { ...this.#book.memory(others), asked_at: this.#askedAt };
  }

  cancel(): void {
    this.#endable.cancel();
  }

  /** The first to say so counts. */
  onAsked(at: string): void {
    const asked = Date.parse(at);
    if (this.#askedAt !== null || Number.isNaN(asked)) return;
    this.#askedAt = at;
    this.#endable.due = asked + this.#job.plan.clip_timeout * 1000;
  }

  /** From the activity, once an attempt: the prediction that exists now. */
  onPredictionCreated(prediction: Prediction, askedAt: string | null): void {
    this.#throttled = null;
    if (this.#book.enter(prediction)) {
      this.#job.tell('clip.submitted', this.#index, {
        status: 'running',
        attempt: prediction.attempt,
        next_attempt_at: null,
      });
    }
    this.onAsked(askedAt ?? now());
  }

  /** The provider lets nothing be created for now. */
  onRateLimited(message: string, askedAt: string | null): void {
    this.#throttled = message;
    this.onAsked(askedAt ?? now());
  }

  /** This attempt is over, and the next is due in `delay` seconds, if the cap allows it. */
  onAttemptFailed(over: AttemptOver, askedAt: string | null): void {
    if (over.prediction !== null) this.#book.enter(over.prediction);
    // What the activity was handed was of this attempt; of what it creates in the next, nobody has heard.
    if (over.attempt > this.#book.over) this.#unanswered &&= { resume: null };
    if (this.#book.end(over)) this.#grant();
    this.onAsked(askedAt ?? now());
  }

  /** A next attempt that did not fit may fit now. */
  onCapChanged(): void {
    this.#grant();
  }

  #grant(): void {
    if (!this.#book.grant(() => this.#job.budget.reserve(this.#book))) return;
    this.#job.tell('clip.retrying', this.#index, this.#book.retrying);
  }

  /** Runs the clip to its end; never rejects, whatever happens to the clip. */
  async run(): Promise<void> {
    this.#job.tell('clip.started', this.#index, {
      status: 'queued',
      waits_for: 'worker',
      attempt: 1,
      started_at: this.#since,
      completed_at: null,
      error: null,
    });
    try {
      const stored = await this.#generateAndStore();
      // G4: an execution that was cut off may have left a second one.
      await settleClip(this.#job, this.#clip, this.#book);
      this.#complete(stored);
    } catch (over) {
      if (!(over instanceof ClipOver)) throw over;
      this.#fail(over.error);
    } finally {
      this.#book.finish();
    }
  }

  async #generateAndStore(): Promise<StoreClipResult> {
    const { prediction: left } = this.#left;
    const { found, goesOn } = await settleEarlier(this.#job, this.#clip, this.#book, left);
    if (goesOn) this.#job.tell('clip.submitted', this.#index, { status: 'running', attempt: 1 });
    if (found !== null) this.#book.release();
    for (let rendered = found; ; rendered = null) {
      const video: Rendered = rendered ?? (await this.#rendered());
      // D1: another one that an execution which was cut off has left is alive too.
      if (this.#book.open.length > 0) await settleClip(this.#job, this.#clip, this.#book);
      this.#slot.leave();
      this.#job.tell('clip.storing', this.#index, {
        status: 'storing',
        next_attempt_at: null,
        error: null,
      });
      try {
        const { store } = this.#job.checked;
        return await this.#inScope(() => storeRendered(this.#clip, video, store), { timed: false });
      } catch (error) {
        const cause = causeOf(error);
        if (cause === undefined) throw error;
        const seconds = this.#storingFailed(cause);
        await this.#inScope(() => this.#backOff(seconds).then(() => this.#slot.again()), {
          timed: true,
        });
      }
    }
  }

  /** The pause between two attempts. */
  #backOff(seconds: number): Promise<void> {
    const summary = `clip ${String(this.#index)}: pause before attempt ${String(this.#book.over + 1)}`;
    return sleep(seconds * 1000, { summary });
  }

  #rendered(): Promise<Rendered> {
    return this.#inScope(() => this.#generate(), { timed: true, salvage: (found) => found });
  }

  /** Runs the paid activity until an attempt succeeds or none is left. */
  async #generate(): Promise<Rendered> {
    let resume = this.#book.current?.id ?? null;
    let unclear = false;
    for (;;) {
      try {
        this.#unanswered = { resume };
        const result = await this.#execute({ resume, unclear });
        this.#unanswered = null;
        if (result.outcome === 'succeeded') {
          this.#book.enter(result.prediction);
          // Settled, so it counts as spent from here on; storing costs nothing.
          this.#book.release();
          return result;
        }
        this.#passedBy = 0;
        if (result.asked_at != null) this.onAsked(result.asked_at);
        ({ prediction_id: resume, unclear } = result);
      } catch (error) {
        const cause = causeOf(error);
        if (isCancellation(error) || cause === undefined) throw error;
        this.#passedBy = wasNeverStarted(cause) ? this.#passedBy + 1 : 0;
        if (isInterruption(cause)) {
          resume = this.#stillRunning(cause);
          unclear = resume === null;
        } else {
          if (attemptOver(cause) !== null) this.#unanswered = null;
          await this.#backOff(this.#attemptFailed(cause));
          resume = null;
          unclear = false;
        }
      }
    }
  }

  /** The prediction of the attempt under way; what was heard may be of the one before. */
  #stillRunning(cause: Error): string | null {
    const beat = lastHeard(cause);
    const heard = beat?.failed_attempts === this.#book.over ? beat.prediction_id : null;
    return heard ?? this.#book.current?.id ?? null;
  }

  /** What only re-attaches takes no share of the limit of creates. */
  #execute(memory: Pick<GenerateClipInput, 'resume' | 'unclear'>) {
    const { plan, timings } = this.#job;
    const options = given.generateClipOptions(this.#clip);
    const input = given.generateClipInput(plan, this.#clip, { ...memory, ...this.#state() });
    const { generateClip } =
      memory.resume === null
        ? paidActivities(timings, this.#passedBy)
        : reattaching(timings, this.#passedBy);
    return generateClip.executeWithOptions(options, [input]);
  }

  #state() {
    const known = this.#book.all.slice(-given.MOST_KNOWN).map(({ id }) => id);
    const failed_attempts = this.#book.over;
    const cut_off = failed_attempts === 0 ? this.#left.since : null;
    const { store } = this.#job.checked;
    return { failed_attempts, since: this.#since, asked_at: this.#askedAt, known, cut_off, store };
  }

  /** G4: a create whose execution died in the middle of it may have come through. */
  async #endLost(): Promise<CanceledExecution | null> {
    const asked = this.#unanswered;
    if (asked === null || this.#book.current !== null) return null;
    const state = { ...asked, ...this.#state() };
    const end = await endLostOf(this.#job, given.endLostInput(this.#job.plan, this.#clip, state));
    if (end === null) this.#book.countUnknown();
    return end;
  }

  /** A failure that Temporal no longer retries: the seconds until the next attempt, or the end of the clip. */
  #attemptFailed(cause: Error): number {
    const over = attemptOver(cause);
    if (over === null) throw new ClipOver(problem('internal', cause.message));
    const retryable = over.error.retryable || isOfEarlierTime(over, this.#since);
    if (retryable) return this.#tryAgain({ ...over, error: { ...over.error, retryable } });
    if (over.prediction !== null) this.#book.enter(over.prediction);
    throw new ClipOver(over.error);
  }

  /** Storing gave up: only a wrong duration is worth a new prediction. */
  #storingFailed(cause: Error): number {
    const error = storingProblem(cause);
    const attempt = this.#book.over + 1;
    if (error.kind !== 'wrong_duration' || attempt >= MAX_ATTEMPTS) {
      throw new ClipOver({ ...error, retryable: false });
    }
    return this.#tryAgain({ attempt, prediction: null, error, delay: backoffSeconds(attempt) });
  }

  #tryAgain(over: AttemptOver): number {
    this.onAttemptFailed(over, this.#askedAt);
    if (this.#book.isGranted) return over.delay;
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
    try {
      return await this.#endable.run(work, { timed });
    } catch (error) {
      if (!(error instanceof Ended) && !(error instanceof ClipOver)) throw error;
      const end = error instanceof Ended ? canceledExecution(error.cause) : null;
      const booked = bookEnd(this.#book, end ?? (await this.#endLost()));
      this.#unanswered = null;
      const rendered = (await settleClip(this.#job, this.#clip, this.#book)) ?? booked;
      if (this.#endable.ending === 'canceled') throw canceled();
      if (rendered !== null && salvage !== undefined) return salvage(rendered); // G2
      if (error instanceof ClipOver) throw error;
      const { refused } = end ?? {};
      throw refused === undefined
        ? late(clip_timeout, this.#throttled)
        : new ClipOver(problem(refused.kind, refused.message));
    }
  }

  #complete(stored: StoreClipResult): void {
    const submitted = this.#book.round[0]?.created_at ?? null;
    const change = completed(this.#clip, stored, submitted, now());
    this.#job.tell('clip.completed', this.#index, change);
  }

  #fail(error: Problem): void {
    const isCanceled = error.kind === 'canceled' && this.#endable.ending === 'canceled';
    this.#job.tell(isCanceled ? 'clip.canceled' : 'clip.failed', this.#index, {
      status: isCanceled ? 'canceled' : 'failed',
      completed_at: now(),
      next_attempt_at: null,
      error,
    });
    if (!isCanceled) this.#job.onClipFailed(error);
  }
}
