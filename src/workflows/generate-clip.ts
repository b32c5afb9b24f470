/**
 * One clip: generate → store, and the facts of it. An async function of the job's workflow, with one
 * cancellation scope a phase.
 *
 * G1 Attempts are predictions, not executions: executions used up by time-outs, crashes or deploys are run again.
 * G2 A prediction that succeeded is stored, also when the budget of time ran out meanwhile.
 * G4 A clip is over only when each of its predictions is.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  sleep,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { AttemptOver, CanceledExecution, Heartbeat, Rendered } from '../domain/activity.js';
import {
  backoffSeconds,
  INTERRUPTED,
  isFailureKind,
  MAX_ATTEMPTS,
  problem,
} from '../domain/failures.js';
import type { Problem } from '../domain/failures.js';
import type { Clip, Prediction } from '../domain/job.js';
import { addUsd, secondsBetween } from '../domain/progress.js';
import type { ResolvedClip } from '../domain/resolved.js';
import { providerInput } from '../domain/resolved.js';
import { paidActivities, settlePrediction, storing } from './activities.js';
import type { AttemptFailed, ClipMemory } from './contract.js';
import type { JobContext } from './job-context.js';

/** Seconds for which the provider keeps a finished file. */
const RETENTION = 3600;
const TERMINAL = new Set(['succeeded', 'failed', 'canceled', 'aborted']);
const now = (): string => new Date().toISOString();

/** Thrown within a run only: the clip is over without a video. */
class ClipOver {
  readonly error: Problem;
  constructor(error: Problem) {
    this.error = error;
  }
}

export class ClipRun {
  readonly #job: JobContext;
  readonly #clip: ResolvedClip;
  /** Ledger lines of earlier rounds (before `retryClip`). */
  readonly #earlier: readonly Prediction[];
  #predictions: Prediction[] = [];
  #failedAttempts = 0;
  #granted = true;
  #lastError: Problem | null = null;
  #scope: CancellationScope | null = null;
  #ending: 'canceled' | 'timed_out' | null = null;
  #since = '';

  constructor(job: JobContext, clip: ResolvedClip, earlier: readonly Prediction[]) {
    this.#job = job;
    this.#clip = clip;
    this.#earlier = earlier;
  }

  get #index(): number {
    return this.#clip.clip_index;
  }

  /** Every ledger line of this clip, and what it has cost so far. */
  get predictions(): Prediction[] {
    return [...this.#earlier, ...this.#predictions];
  }

  get cost(): number {
    return addUsd(...this.predictions.map(({ cost_usd }) => cost_usd));
  }

  memory(claimed: string[]): ClipMemory {
    return {
      failed_attempts: this.#failedAttempts,
      predictions: this.#predictions,
      claimed: [...this.#earlier.map(({ id }) => id), ...claimed],
      granted: this.#granted,
      last_error: this.#lastError,
    };
  }

  cancel(): void {
    this.#ending = 'canceled';
    this.#scope?.cancel();
  }

  /** From the activity, once an attempt: the prediction that exists now. */
  onPredictionCreated(prediction: Prediction): void {
    const isKnown = this.#predictions.some(({ id }) => id === prediction.id);
    this.#enter(prediction);
    if (isKnown) return;
    this.#record('clip.submitted', {
      status: 'running',
      attempt: prediction.attempt,
      next_attempt_at: null,
    });
  }

  /** From the activity (or from storing): this attempt is over, the next is due in `delay` seconds. */
  onAttemptFailed({ attempt, prediction, error, delay }: Omit<AttemptFailed, 'clip_index'>): void {
    if (prediction !== null) this.#enter(prediction);
    if (attempt <= this.#failedAttempts) return;
    this.#failedAttempts = attempt;
    this.#lastError = error;
    this.#granted = this.#job.budget.reserve(this.#index, this.#clip.estimated_cost_usd);
    if (!this.#granted) return;
    this.#record('clip.retrying', {
      status: 'retrying',
      attempt,
      retry_count: attempt,
      error,
      next_attempt_at: new Date(Date.now() + delay * 1000).toISOString(),
    });
  }

  /** Runs the clip to its end; never rejects, whatever happens to the clip. */
  async run(): Promise<void> {
    this.#since = now();
    this.#record('clip.started', {
      status: 'running',
      attempt: 1,
      started_at: this.#since,
      completed_at: null,
      error: null,
    });
    try {
      await this.#generateAndStore();
    } catch (over) {
      if (!(over instanceof ClipOver)) throw over;
      this.#finish(over.error);
    } finally {
      this.#job.budget.release(this.#index);
    }
  }

  async #generateAndStore(): Promise<void> {
    for (;;) {
      const rendered = await this.#generate();
      this.#record('clip.storing', { status: 'storing', next_attempt_at: null, error: null });
      if (await this.#store(rendered)) return;
      await this.#inScope(() => sleep(backoffSeconds(this.#failedAttempts) * 1000), true);
    }
  }

  /** A finished prediction with an output, within the clip's budget of time. */
  #generate(): Promise<Rendered> {
    return this.#inScope(() => this.#execute(), true);
  }

  /** Runs the paid activity until an attempt succeeds or none is left. */
  async #execute(): Promise<Rendered> {
    let resume: string | null = null;
    let unclear = false;
    for (;;) {
      try {
        const result = await this.#callActivity(resume, unclear);
        if (result.outcome === 'succeeded') {
          this.#enter(result.prediction);
          return result;
        }
        ({ prediction_id: resume, unclear } = result);
      } catch (error) {
        const cause = error instanceof ActivityFailure ? error.cause : undefined;
        if (isInterruption(cause)) {
          const beat =
            cause instanceof TimeoutFailure
              ? (cause.lastHeartbeatDetails as Heartbeat | undefined)
              : undefined;
          resume = beat?.prediction_id ?? this.#open()?.id ?? null;
          unclear = resume === null;
        } else if (cause instanceof ApplicationFailure) {
          await this.#nextAttempt(cause);
          resume = null;
          unclear = false;
        } else {
          throw error;
        }
      }
    }
  }

  #callActivity(resume: string | null, unclear: boolean) {
    const { plan, timings, paidTaskQueue } = this.#job;
    const { generateClip } = paidActivities(paidTaskQueue, timings);
    return generateClip.executeWithOptions(
      {
        activityId: `clip-${String(this.#index)}`,
        summary: `clip ${String(this.#index)} · ${String(this.#clip.requested_duration)} s · ${this.#clip.prompt.slice(0, 60)}`,
      },
      [
        {
          clip_index: this.#index,
          model: plan.model.id,
          version: plan.model.version,
          input: providerInput(plan.model, this.#clip),
          requested_duration: this.#clip.requested_duration,
          price: this.#clip.price,
          bills_failed: plan.model.bills_failed,
          usual_time: this.#clip.usual_time,
          failed_attempts: this.#failedAttempts,
          resume,
          unclear,
          since: this.#since,
          deadline: new Date(Date.parse(this.#since) + plan.clip_timeout * 1000).toISOString(),
        },
      ],
    );
  }

  /** After a failure that Temporal no longer retries: waits for the next attempt, or ends the clip. */
  async #nextAttempt(failure: ApplicationFailure): Promise<void> {
    const over = failure.details?.[0] as AttemptOver | undefined;
    if (over === undefined) {
      throw new ClipOver(problem('internal', failure.message));
    }
    if (!over.error.retryable || over.attempt >= MAX_ATTEMPTS) {
      if (over.prediction !== null) this.#enter(over.prediction);
      this.#failedAttempts = Math.max(this.#failedAttempts, over.attempt);
      throw new ClipOver(over.error);
    }
    const delay = backoffSeconds(over.attempt);
    this.onAttemptFailed({ ...over, delay });
    if (!this.#granted) throw new ClipOver(this.#overBudget());
    await sleep(delay * 1000);
  }

  /** True when the video is stored; false when it is not what was asked for and another attempt is due. */
  async #store(rendered: Rendered): Promise<boolean> {
    const { prediction, output_url } = rendered;
    const expires = Date.parse(prediction.completed_at ?? now()) + RETENTION * 1000;
    const { storeClip } = storing(Math.max(30, (expires - Date.now()) / 1000));
    try {
      const stored = await this.#inScope(
        () =>
          storeClip.executeWithOptions(
            {
              activityId: `store-${String(this.#index)}`,
              summary: `store clip ${String(this.#index)}`,
            },
            [
              {
                clip_index: this.#index,
                requested_duration: this.#clip.requested_duration,
                prediction_id: prediction.id,
                output_url,
                expires_at: new Date(expires).toISOString(),
              },
            ],
          ),
        false,
      );
      this.#finish(null, stored);
      return true;
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      if (error instanceof ClipOver || cause === undefined) throw error;
      return this.#storingFailed(cause);
    }
  }

  #storingFailed(cause: Error): false {
    const kind =
      cause instanceof ApplicationFailure && isFailureKind(cause.type) ? cause.type : 'output_lost';
    const attempt = this.#failedAttempts + 1;
    const error = problem(kind, cause.message);
    if (kind !== 'wrong_duration' || attempt >= MAX_ATTEMPTS) {
      throw new ClipOver({ ...error, retryable: false });
    }
    this.onAttemptFailed({ attempt, prediction: null, error, delay: backoffSeconds(attempt) });
    if (!this.#granted) throw new ClipOver(this.#overBudget());
    return false;
  }

  /**
   * Runs work that `cancel` (and, when `timed`, the clip's budget of time) can end, and turns its end into
   * the clip's. Nothing is left running at the provider afterwards.
   */
  async #inScope<T>(work: () => Promise<T>, timed: boolean): Promise<T> {
    const scope = new CancellationScope();
    const clock = new CancellationScope();
    this.#scope = scope;
    if (timed) this.#startClock(clock, scope);
    try {
      if (this.#ending === 'canceled') scope.cancel();
      return await scope.run(work);
    } catch (error) {
      if (!isCancellation(error)) {
        if (error instanceof ClipOver) await this.#settleOpen(null);
        throw error;
      }
      // Neither this clip's cancellation nor its clock: the whole job was canceled.
      this.#ending ??= 'canceled';
      const rendered = await this.#settleOpen(canceledDetails(error));
      // G2: what was finished in time for nobody's cancellation is kept. Only `#generate` is timed with a result.
      if (this.#ending === 'timed_out' && rendered !== null) return rendered as T;
      throw new ClipOver(
        this.#ending === 'timed_out'
          ? problem(
              'timed_out',
              `expected an end within ${String(this.#job.plan.clip_timeout)} s (clip_timeout)`,
            )
          : problem('canceled', 'canceled on request'),
      );
    } finally {
      this.#scope = null;
      clock.cancel();
    }
  }

  #startClock(clock: CancellationScope, scope: CancellationScope): void {
    const elapsed = Date.now() - Date.parse(this.#since);
    const left = Math.max(1, this.#job.plan.clip_timeout * 1000 - elapsed);
    clock
      .run(() => sleep(left))
      .then(
        () => {
          this.#ending ??= 'timed_out';
          scope.cancel();
        },
        () => undefined,
      );
  }

  /** G4: ends every prediction that may still run; answers with one that had succeeded, if any. */
  async #settleOpen(canceled: CanceledExecution | null): Promise<Rendered | null> {
    let rendered = this.#take(canceled);
    await CancellationScope.nonCancellable(async () => {
      for (const prediction of this.#predictions.filter(({ status }) => !TERMINAL.has(status))) {
        try {
          const settled = await settlePrediction.executeWithOptions(
            { summary: `end prediction ${prediction.id}` },
            [
              {
                prediction,
                price: this.#clip.price,
                bills_failed: this.#job.plan.model.bills_failed,
                cancel: true,
              },
            ],
          );
          rendered = this.#take(settled) ?? rendered;
        } catch (error) {
          if (!(error instanceof ActivityFailure)) throw error;
          this.#job.log.warn(
            `prediction ${prediction.id} could not be confirmed as ended; the provider's own deadline ends it (${prediction.url})`,
            { clip_index: this.#index },
          );
        }
      }
    });
    return rendered;
  }

  #take(end: CanceledExecution | null): Rendered | null {
    if (end?.prediction == null) return null;
    this.#enter(end.prediction);
    return end.output_url === null
      ? null
      : { prediction: end.prediction, output_url: end.output_url };
  }

  #open(): Prediction | undefined {
    return this.#predictions.findLast(({ status }) => !TERMINAL.has(status));
  }

  /** Adds or updates a line of the ledger; a settled line is never unsettled. */
  #enter(prediction: Prediction): void {
    const at = this.#predictions.findIndex(({ id }) => id === prediction.id);
    const before = this.#predictions[at];
    if (before === undefined) this.#predictions = [...this.#predictions, prediction];
    else if (!TERMINAL.has(before.status)) {
      this.#predictions = this.#predictions.with(at, {
        ...prediction,
        created_at: before.created_at,
        adopted: before.adopted || prediction.adopted,
      });
    }
  }

  #overBudget(): Problem {
    const last = this.#lastError === null ? '' : `; last error: ${this.#lastError.message}`;
    return problem('over_budget', `the next attempt no longer fits max_cost_usd${last}`);
  }

  #finish(
    error: Problem | null,
    stored?: { actual_duration: number; video_url: string; thumbnail_url: string | null },
  ): void {
    const at = now();
    const submitted = this.#predictions[0]?.created_at ?? null;
    const common: Partial<Clip> = { completed_at: at, next_attempt_at: null, error };
    if (error === null && stored !== undefined) {
      this.#record('clip.completed', {
        ...common,
        ...stored,
        status: 'succeeded',
        duration_diff:
          Math.round((stored.actual_duration - this.#clip.requested_duration) * 1000) / 1000,
        generation_time: submitted === null ? null : Math.max(0, secondsBetween(submitted, at)),
      });
    } else if (error?.kind === 'canceled' && this.#ending === 'canceled') {
      this.#record('clip.canceled', { ...common, status: 'canceled' });
    } else if (error !== null) {
      this.#record('clip.failed', { ...common, status: 'failed' });
      this.#job.onClipFailed(error);
    }
  }

  #record(type: Parameters<JobContext['log']['recordClip']>[0], change: Partial<Clip>): void {
    const { predictions } = this;
    const isSettled = predictions.some(({ cost_usd }) => cost_usd !== null);
    this.#job.log.recordClip(type, this.#index, {
      predictions,
      cost_usd: isSettled ? this.cost : null,
      ...change,
    });
  }
}

/** Executions that were cut off: the attempt goes on in the next one. */
const isInterruption = (cause: Error | undefined): boolean =>
  cause instanceof TimeoutFailure ||
  (cause instanceof ApplicationFailure &&
    (cause.type === INTERRUPTED || cause.type === 'WorkerShutdown'));

function canceledDetails(error: unknown): CanceledExecution | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof CancelledFailure)) return null;
  return (cause.details[0] as CanceledExecution | undefined) ?? null;
}
