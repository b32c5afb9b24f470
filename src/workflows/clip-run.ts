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
} from '../contract/activities.js';
import { problem } from '../domain/job/failure-kinds.js';
import type { Problem, Clip, Prediction } from '../domain/job/job.schema.js';
import { allowsFallback } from '../domain/job/fallbacks.js';
import { backoffSeconds, MAX_ATTEMPTS } from '../domain/job/retry-policy.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';
import { paidActivities, reattaching } from './activity-options.js';
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
import { isOfEarlierTime } from './clip-state.js';
import type { ClipBook, Left } from './clip-state.js';
import { ClipOver, canceled, late, switched, unaffordable } from './clip-over.js';
import { completed } from './completed-clip.js';
import type { ClipMemory } from '../contract/workflow.js';
import { Endable, Ended } from './cancellable-work.js';
import type { JobState } from './job-state.js';
import type { Maker } from './clip-models.js';
import { bookEnd, endLostOf, settleClip, settleEarlier } from './settle-clip.js';
import { storeRendered } from './store-rendered.js';

const now = (): string => new Date().toISOString();

/** The place among the clips that may have a prediction alive. */
export interface Slot {
  leave(): void;
  /** Resolves when it is held (again); rejects when the clip is canceled first. */
  again(): Promise<void>;
}

/** When the provider could first have been asked, and for which model; null and undefined where the sender does not say. */
export interface Asked {
  at: string | null;
  model: string | undefined;
}

const NOTHING: Left = { prediction: null, since: null, model: undefined };

export class ClipRun {
  readonly #job: JobState;
  readonly #index: number;
  readonly #book: ClipBook;
  readonly #slot: Slot;
  #left: Left;
  #maker: Maker;
  #clip: ResolvedClip;
  /** When it was started, on this model. */
  #since = now();
  /** On the first of several models. */
  #submitted: string | null = null;
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
    this.#index = index;
    this.#book = job.book(index);
    this.#slot = slot;
    this.#left = this.#book.begin();
    this.#maker = job.makers.named(this.#left.model);
    this.#clip = this.#maker.images.clip(index);
    this.#endable = new Endable(job.clock);
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
  onPredictionCreated(prediction: Prediction, asked: Asked): void {
    this.#throttled = null;
    const name = this.#nameOf(asked);
    if (this.#book.enter(prediction, name) && name === this.#maker.name) {
      this.#job.tell('clip.submitted', this.#index, {
        status: 'running',
        attempt: prediction.attempt,
        next_attempt_at: null,
      });
    }
    this.onAsked(asked.at ?? now());
  }

  #nameOf({ model }: Asked): string | undefined {
    return model === undefined ? this.#maker.name : this.#job.makers.named(model).name;
  }

  /** The provider lets nothing be created for now. */
  onRateLimited(message: string, askedAt: string | null): void {
    this.#throttled = message;
    this.onAsked(askedAt ?? now());
  }

  /** This attempt is over, and the next is due in `delay` seconds, if the cap allows it. */
  onAttemptFailed(over: AttemptOver, asked: Asked): void {
    const name = this.#nameOf(asked);
    if (over.prediction !== null) this.#book.enter(over.prediction, name);
    // A word that comes late, of the model before.
    if (name !== this.#maker.name) return;
    // What the activity was handed was of this attempt; of what it creates in the next, nobody has heard.
    if (over.attempt > this.#book.over) this.#unanswered &&= { resume: null };
    if (this.#book.end(over)) this.#grant();
    this.onAsked(asked.at ?? now());
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
    const begun: Partial<Clip> = {
      status: 'queued',
      waits_for: 'worker',
      attempt: 1,
      started_at: this.#since,
      completed_at: null,
      error: null,
    };
    this.#job.tell('clip.started', this.#index, begun, this.#maker);
    try {
      await this.#made();
    } finally {
      this.#book.finish();
    }
  }

  /** On one model after the other, as far as the plan allows. */
  async #made(): Promise<void> {
    for (let over: Problem | null = null, next: Maker | null = null; ;) {
      try {
        if (over !== null && next !== null) await this.#passOn(over, next);
        const stored = await this.#generateAndStore();
        // G4: an execution that was cut off may have left a second one.
        await settleClip(this.#job, this.#clip, this.#book);
        this.#complete(stored);
        return;
      } catch (error) {
        if (!(error instanceof ClipOver)) throw error;
        over = error.error;
        next = allowsFallback(over) ? this.#job.makers.after(this.#maker) : null;
        if (next !== null) continue;
        this.#fail(over);
        return;
      }
    }
  }

  /** Nothing of the model before is alive any more (G4). */
  async #passOn(over: Problem, next: Maker): Promise<void> {
    const before = this.#maker;
    this.#submitted ??= this.#book.round[0]?.created_at ?? null;
    this.#book.use(next.name);
    // B1
    if (!this.#job.budget.reserve(this.#book)) {
      this.#book.use(before.name);
      throw unaffordable(over);
    }
    this.#book.begin();
    this.#maker = next;
    this.#clip = next.images.clip(this.#index);
    this.#left = NOTHING;
    this.#since = now();
    this.#throttled = null;
    this.#passedBy = 0;
    this.#job.log.warn(switched(before.model.id, this.#clip, next.model.id, over), {
      clip_index: this.#index,
    });
    const again: Partial<Clip> = {
      status: 'retrying',
      attempt: 0,
      retry_count: 0,
      next_attempt_at: null,
      error: { ...over, retryable: true },
    };
    this.#job.tell('clip.retrying', this.#index, again, next);
    await this.#inScope(() => this.#slot.again(), { timed: true });
  }

  /** Those of the plan's own model were looked at before the clip was started. */
  async #lookAtImages(): Promise<void> {
    const { images } = this.#maker;
    if (images.due([this.#index]).length === 0) return;
    const [refused] = await images.prepare([this.#index]);
    if (refused !== undefined) throw new ClipOver(refused.error);
    this.#clip = images.clip(this.#index);
  }

  async #generateAndStore(): Promise<StoreClipResult> {
    const { prediction: left } = this.#left;
    const { found, goesOn } = await settleEarlier(this.#job, this.#clip, this.#book, left);
    if (found === null && !goesOn && this.#maker !== this.#job.makers.first) {
      await this.#inScope(() => this.#lookAtImages(), { timed: true });
    }
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
    const { clip_timeout } = plan;
    const made = { model: this.#maker.model, clip_timeout };
    const input = given.generateClipInput(made, this.#clip, { ...memory, ...this.#state() });
    const { generateClip } =
      memory.resume === null
        ? paidActivities(timings, this.#passedBy)
        : reattaching(timings, this.#passedBy);
    return generateClip.executeWithOptions(options, [input]);
  }

  #state() {
    const known = this.#book.all.slice(-given.MAX_KNOWN).map(({ id }) => id);
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
    const end = await endLostOf(this.#job, given.endLostInput(this.#maker, this.#clip, state));
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
    this.onAttemptFailed(over, { at: this.#askedAt, model: this.#maker.name });
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
    const submitted = this.#submitted ?? this.#book.round[0]?.created_at ?? null;
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
