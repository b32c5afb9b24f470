/**
 * The life of one clip: generate → store, each phase in a cancellation scope of its own, on one model after the other as far
 * as the plan allows; and the ways in which it ends. Part of the job's workflow.
 *
 * RUN-1 Attempts are predictions, not executions: executions that time-outs, crashes or deploys use up are run again (G3).
 * RUN-2 A prediction that succeeded is stored, also when the clip's time ran out meanwhile (G2).
 * RUN-3 A clip is over only when each of its predictions is (G4).
 */
import { isCancellation, sleep } from '@temporalio/workflow';
import type {
  AttemptOver,
  CanceledExecution,
  GenerateClipInput,
  Rendered,
  StoreClipResult,
} from '../contract/activities.js';
import type { ClipMemory } from '../contract/workflow.js';
import { noLongerFits, problem } from '../domain/job/failure-kinds.js';
import { allowsFallback } from '../domain/job/fallbacks.js';
import type { Clip, Prediction, Problem } from '../domain/job/job.schema.js';
import { secondsBetween } from '../domain/job/progress.js';
import { backoffSeconds, MAX_ATTEMPTS } from '../domain/job/retry-policy.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';
import { decimal } from '../domain/values/decimal.js';
import {
  attemptOver,
  canceledExecution,
  causeOf,
  isInterruption,
  lastHeard,
  storingProblem,
  wasNeverStarted,
} from './activity-failure.js';
import * as given from './activity-input.js';
import { paidActivities, reattaching, storing } from './activity-options.js';
import { CancellableWork, WorkEnded } from './cancellable-work.js';
import type { ClipModel } from './clip-models.js';
import { isOfEarlierTime, NOTHING_CARRIED } from './clip-state.js';
import type { CarriedOver, ClipState } from './clip-state.js';
import type { JobState } from './job-state.js';
import { endLost, enterEnd, settleClip, settleEarlier } from './settle-clip.js';

/** The least time for storing a file that the provider may still have. */
const MIN_STORING_SECONDS = 30;

const now = (): string => new Date().toISOString();

/** One of the `batch_size` slots for clips that may have a prediction alive. */
export interface Slot {
  release(): void;
  /** Resolves when the clip holds a slot again; rejects when the clip is canceled first. */
  reacquire(): Promise<void>;
}

/** From a signal: when the provider could first have been asked, and for which model. Older workers leave them out. */
export interface Asked {
  at: string | null;
  model: string | undefined;
}

/** Ends a clip without a video; thrown within a run only. */
class ClipFailed {
  readonly error: Problem;
  constructor(error: Problem) {
    this.error = error;
  }
}

export class ClipRun {
  readonly #job: JobState;
  readonly #index: number;
  readonly #state: ClipState;
  readonly #slot: Slot;
  readonly #work: CancellableWork;
  #carriedOver: CarriedOver;
  /** When the clip was started on its present model. */
  #since = now();
  /** When its first prediction was created, if that was on a model before the present one. */
  #submitted: string | null = null;
  /** When the provider could first have been asked: the clip's time counts from then. */
  #askedAt: string | null = null;
  /** What the provider said when it made the attempt wait; null when it let it through. */
  #throttled: string | null = null;
  /** Set while the outcome of the current execution's create is unknown, with the prediction that it was to resume, if any. */
  #unanswered: { resume: string | null } | null = null;
  /** How often in a row no worker has taken the paid activity. */
  #neverStarted = 0;

  constructor(job: JobState, index: number, slot: Slot) {
    this.#job = job;
    this.#index = index;
    this.#state = job.clipState(index);
    this.#slot = slot;
    this.#carriedOver = this.#state.startRound();
    this.#work = new CancellableWork(job.timer);
  }

  get #model(): ClipModel {
    return this.#job.models.named(this.#state.model);
  }

  /** The clip as planned for its present model, and sent to it. */
  get #clip(): ResolvedClip {
    return this.#model.prepared.clip(this.#index);
  }

  memory(others: string[]): ClipMemory {
    return { ...this.#state.memory(others), asked_at: this.#askedAt };
  }

  cancel(): void {
    this.#work.cancel();
  }

  // What the paid activity signals

  /** The first time that is signaled counts. */
  onAsked(at: string): void {
    const asked = Date.parse(at);
    if (this.#askedAt !== null || Number.isNaN(asked)) return;
    this.#askedAt = at;
    this.#work.deadline = asked + this.#job.plan.clip_timeout * 1000;
  }

  onPredictionCreated(prediction: Prediction, asked: Asked): void {
    this.#throttled = null;
    const name = this.#nameOf(asked);
    if (this.#state.enter(prediction, name) && name === this.#model.name) {
      this.#job.recordClip('clip.submitted', this.#index, {
        status: 'running',
        attempt: prediction.attempt,
        next_attempt_at: null,
      });
    }
    this.onAsked(asked.at ?? now());
  }

  #nameOf({ model }: Asked): string | undefined {
    return model === undefined ? this.#model.name : this.#job.models.named(model).name;
  }

  /** The provider makes the create wait. */
  onRateLimited(message: string, askedAt: string | null): void {
    this.#throttled = message;
    this.onAsked(askedAt ?? now());
  }

  /** The attempt has failed, and the next is due in `delay` seconds, if the cap allows it. */
  onAttemptFailed(over: AttemptOver, asked: Asked): void {
    const name = this.#nameOf(asked);
    if (over.prediction !== null) this.#state.enter(over.prediction, name);
    // A late signal, of an attempt on the model before.
    if (name !== this.#model.name) return;
    // The same execution starts the next attempt, whose create has no known outcome yet.
    if (over.attempt > this.#state.failedAttempts) this.#unanswered &&= { resume: null };
    if (this.#state.failAttempt(over)) this.#grant();
    this.onAsked(asked.at ?? now());
  }

  /** A next attempt that did not fit may fit now. */
  onCapChanged(): void {
    this.#grant();
  }

  #grant(): void {
    if (!this.#state.grant(() => this.#job.budget.reserve(this.#state))) return;
    this.#job.recordClip('clip.retrying', this.#index, this.#state.retrying);
  }

  // From start to end

  /** Runs the clip to its end; never rejects because of what happens to the clip. */
  async run(): Promise<void> {
    const started: Partial<Clip> = {
      status: 'queued',
      waits_for: 'worker',
      attempt: 1,
      started_at: this.#since,
      completed_at: null,
      error: null,
    };
    this.#job.recordClip('clip.started', this.#index, started, this.#model);
    try {
      await this.#onEachModel();
    } finally {
      this.#state.endRound();
    }
  }

  async #onEachModel(): Promise<void> {
    for (let failure: Problem | null = null, next: ClipModel | null = null; ;) {
      try {
        if (failure !== null && next !== null) await this.#passOn(failure, next);
        const stored = await this.#generateAndStore();
        // RUN-3: an execution that was cut off may have left a second prediction.
        await settleClip(this.#job, this.#clip, this.#state);
        this.#complete(stored);
        return;
      } catch (error) {
        if (!(error instanceof ClipFailed)) throw error;
        failure = error.error;
        next = allowsFallback(failure) ? this.#job.models.after(this.#model) : null;
        if (next !== null) continue;
        this.#fail(failure);
        return;
      }
    }
  }

  /** Moves the clip to the next model, once no prediction on the model before may run (RUN-3). */
  async #passOn(failure: Problem, next: ClipModel): Promise<void> {
    const before = this.#model;
    this.#submitted ??= this.#state.roundPredictions[0]?.created_at ?? null;
    this.#state.switchTo(next.name);
    // BUDGET-1
    if (!this.#job.budget.reserve(this.#state)) {
      this.#state.switchTo(before.name);
      throw unaffordable(failure);
    }
    this.#state.startRound();
    this.#carriedOver = NOTHING_CARRIED;
    this.#since = now();
    this.#throttled = null;
    this.#neverStarted = 0;
    this.#job.log.warn(passedOn(before.model.id, this.#clip, next.model.id, failure), {
      clip_index: this.#index,
    });
    const again: Partial<Clip> = {
      status: 'retrying',
      attempt: 0,
      retry_count: 0,
      next_attempt_at: null,
      error: { ...failure, retryable: true },
    };
    this.#job.recordClip('clip.retrying', this.#index, again, next);
    await this.#inScope(() => this.#slot.reacquire(), { timed: true });
  }

  /** For a fallback model: the images for the plan's own model were prepared before the clip was started. */
  async #prepareImages(): Promise<void> {
    const { prepared } = this.#model;
    if (prepared.due([this.#index]).length === 0) return;
    const [refused] = await prepared.prepare([this.#index]);
    if (refused !== undefined) throw new ClipFailed(refused.error);
  }

  async #generateAndStore(): Promise<StoreClipResult> {
    const { prediction: carriedOver } = this.#carriedOver;
    const { found, resumed, endedWithoutVideo } = await settleEarlier(
      this.#job,
      this.#clip,
      this.#state,
      carriedOver,
    );
    // The reservation was for the prediction that is carried over, and now the clip needs another.
    if (endedWithoutVideo && !this.#job.budget.reserve(this.#state)) throw unaffordable(null);
    if (found === null && !resumed && this.#model !== this.#job.models.first) {
      await this.#inScope(() => this.#prepareImages(), { timed: true });
    }
    if (resumed) {
      this.#job.recordClip('clip.submitted', this.#index, { status: 'running', attempt: 1 });
    }
    if (found !== null) this.#state.release();
    for (let rendered = found; ; rendered = null) {
      const video: Rendered = rendered ?? (await this.#rendered());
      // DISPATCH-1: before the slot is released, an execution that was cut off may have left another prediction.
      if (this.#state.openPredictions.length > 0) {
        await settleClip(this.#job, this.#clip, this.#state);
      }
      this.#slot.release();
      this.#job.recordClip('clip.storing', this.#index, {
        status: 'storing',
        next_attempt_at: null,
        error: null,
      });
      try {
        const { store } = this.#job.checked;
        return await this.#inScope(() => storeVideo(this.#clip, video, store), { timed: false });
      } catch (error) {
        const cause = causeOf(error);
        if (cause === undefined) throw error;
        const seconds = this.#storingFailed(cause);
        await this.#inScope(() => this.#backOff(seconds).then(() => this.#slot.reacquire()), {
          timed: true,
        });
      }
    }
  }

  #backOff(seconds: number): Promise<void> {
    const summary = `clip ${String(this.#index)}: pause before attempt ${String(this.#state.currentAttempt)}`;
    return sleep(seconds * 1000, { summary });
  }

  // Generating

  #rendered(): Promise<Rendered> {
    return this.#inScope(() => this.#generate(), { timed: true, salvage: (found) => found });
  }

  /** Runs the paid activity until an attempt succeeds or none is left. */
  async #generate(): Promise<Rendered> {
    let resume = this.#state.currentPrediction?.id ?? null;
    let unclear = false;
    for (;;) {
      try {
        this.#unanswered = { resume };
        const result = await this.#execute({ resume, unclear });
        this.#unanswered = null;
        if (result.outcome === 'succeeded') {
          this.#state.enter(result.prediction);
          // It is settled, hence spent; storing costs nothing.
          this.#state.release();
          return result;
        }
        this.#neverStarted = 0;
        if (result.asked_at != null) this.onAsked(result.asked_at);
        ({ prediction_id: resume, unclear } = result);
      } catch (error) {
        const cause = causeOf(error);
        if (isCancellation(error) || cause === undefined) throw error;
        this.#neverStarted = wasNeverStarted(cause) ? this.#neverStarted + 1 : 0;
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

  /** The prediction of the current attempt; a heartbeat may be of the attempt before. */
  #stillRunning(cause: Error): string | null {
    const beat = lastHeard(cause);
    const heard = beat?.failed_attempts === this.#state.failedAttempts ? beat.prediction_id : null;
    return heard ?? this.#state.currentPrediction?.id ?? null;
  }

  #execute(known: Pick<GenerateClipInput, 'resume' | 'unclear'>) {
    const { plan, timings } = this.#job;
    const options = given.generateClipOptions(this.#clip);
    const { clip_timeout } = plan;
    const on = { model: this.#model.model, clip_timeout };
    const input = given.generateClipInput(on, this.#clip, { ...known, ...this.#given() });
    const { generateClip } =
      known.resume === null
        ? paidActivities(timings, this.#neverStarted)
        : reattaching(timings, this.#neverStarted);
    return generateClip.executeWithOptions(options, [input]);
  }

  #given() {
    const known = this.#state.predictions.slice(-given.MAX_KNOWN).map(({ id }) => id);
    const failed_attempts = this.#state.failedAttempts;
    const cut_off = failed_attempts === 0 ? this.#carriedOver.since : null;
    const { store } = this.#job.checked;
    return { failed_attempts, since: this.#since, asked_at: this.#askedAt, known, cut_off, store };
  }

  /** A failure that Temporal no longer retries: the seconds until the next attempt, or the end of the clip. */
  #attemptFailed(cause: Error): number {
    const over = attemptOver(cause);
    if (over === null) throw new ClipFailed(problem('internal', cause.message));
    const retryable = over.error.retryable || isOfEarlierTime(over, this.#since);
    if (retryable) return this.#tryAgain({ ...over, error: { ...over.error, retryable } });
    if (over.prediction !== null) this.#state.enter(over.prediction);
    throw new ClipFailed(over.error);
  }

  /** Storing gave up: only a wrong duration is worth a new prediction. */
  #storingFailed(cause: Error): number {
    const error = storingProblem(cause);
    const attempt = this.#state.currentAttempt;
    if (error.kind !== 'wrong_duration' || attempt >= MAX_ATTEMPTS) {
      throw new ClipFailed({ ...error, retryable: false });
    }
    return this.#tryAgain({ attempt, prediction: null, error, delay: backoffSeconds(attempt) });
  }

  #tryAgain(over: AttemptOver): number {
    this.onAttemptFailed(over, { at: this.#askedAt, model: this.#model.name });
    if (this.#state.isGranted) return over.delay;
    throw unaffordable(over.error);
  }

  // Ending

  /**
   * Runs work until it ends, is canceled or, when `timed`, meets the clip's deadline. In the last two cases the clip ends, and
   * nothing is left running at the provider. `salvage` takes what had been rendered by then.
   */
  async #inScope<T>(
    work: () => Promise<T>,
    { timed, salvage }: { timed: boolean; salvage?: (rendered: Rendered) => T },
  ): Promise<T> {
    const { clip_timeout } = this.#job.plan;
    try {
      return await this.#work.run(work, { timed });
    } catch (error) {
      if (!(error instanceof WorkEnded) && !(error instanceof ClipFailed)) throw error;
      const end = error instanceof WorkEnded ? canceledExecution(error.cause) : null;
      const entered = enterEnd(this.#state, end ?? (await this.#endLost()));
      this.#unanswered = null;
      const rendered = (await settleClip(this.#job, this.#clip, this.#state)) ?? entered;
      if (this.#work.endReason === 'canceled') throw canceled();
      if (rendered !== null && salvage !== undefined) return salvage(rendered); // RUN-2
      if (error instanceof ClipFailed) throw error;
      const { refused } = end ?? {};
      throw refused === undefined
        ? timedOut(clip_timeout, this.#throttled)
        : new ClipFailed(problem(refused.kind, refused.message));
    }
  }

  /** RUN-3: a create whose execution died in the middle of it may have come through. */
  async #endLost(): Promise<CanceledExecution | null> {
    const unanswered = this.#unanswered;
    if (unanswered === null || this.#state.currentPrediction !== null) return null;
    const input = given.endLostInput(this.#model, this.#clip, {
      ...unanswered,
      ...this.#given(),
    });
    const end = await endLost(this.#job, input);
    if (end === null) this.#state.countUnknownCreate();
    return end;
  }

  #complete(stored: StoreClipResult): void {
    const at = now();
    const submitted = this.#submitted ?? this.#state.roundPredictions[0]?.created_at ?? null;
    const { requested_duration } = this.#clip;
    this.#job.recordClip('clip.completed', this.#index, {
      ...stored,
      status: 'succeeded',
      completed_at: at,
      next_attempt_at: null,
      error: null,
      duration_diff: decimal(stored.actual_duration - requested_duration, 3),
      generation_time: submitted === null ? 0 : Math.max(0, secondsBetween(submitted, at)),
    });
  }

  #fail(error: Problem): void {
    const isCanceled = error.kind === 'canceled' && this.#work.endReason === 'canceled';
    this.#job.recordClip(isCanceled ? 'clip.canceled' : 'clip.failed', this.#index, {
      status: isCanceled ? 'canceled' : 'failed',
      completed_at: now(),
      next_attempt_at: null,
      error,
    });
    if (!isCanceled) this.#job.onClipFailed(error);
  }
}

/** Stores what was rendered: scheduled until the provider deletes the file, however often no worker takes the activity. */
async function storeVideo(
  clip: ResolvedClip,
  rendered: Rendered,
  store: string | undefined,
): Promise<StoreClipResult> {
  const input = given.storeClipInput(clip, rendered, { now: now(), store });
  for (;;) {
    const seconds = (Date.parse(input.expires_at) - Date.now()) / 1000;
    const { storeClip } = storing(Math.max(MIN_STORING_SECONDS, seconds));
    try {
      return await storeClip.executeWithOptions(given.storeClipOptions(clip), [input]);
    } catch (error) {
      if (!wasNeverStarted(causeOf(error))) throw error;
    }
  }
}

const canceled = (): ClipFailed => new ClipFailed(problem('canceled', 'canceled on request'));

/** `last`: why the attempt before failed. */
const unaffordable = (last: Problem | null): ClipFailed =>
  new ClipFailed(problem('over_budget', noLongerFits(last)));

/** `throttled`: what the provider said that would not let the clip begin; null when it was let through. */
function timedOut(seconds: number, throttled: string | null): ClipFailed {
  const message = `expected an end within clip_timeout (${String(seconds)} s)`;
  return new ClipFailed(
    throttled === null
      ? problem('timed_out', message)
      : problem('rate_limited', `${message}, and could not begin: ${throttled}`),
  );
}

/** The warning about a clip that another model takes over. */
function passedOn(
  from: string,
  { clip_index, requested_duration, estimated_cost_usd }: ResolvedClip,
  to: string,
  { kind, message }: Problem,
): string {
  const cost =
    estimated_cost_usd === null ? 'at an unknown price' : `for $${String(estimated_cost_usd)}`;
  return `clip ${String(clip_index)}: ${from} could not make it (${kind}: ${message}); ${to} takes over, ${String(requested_duration)} s ${cost}, as fallback_models says`;
}
