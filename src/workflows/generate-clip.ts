/**
 * One clip: generate → store, and the facts of it. Part of the job's workflow, with one cancellation scope a phase.
 *
 * G1 Attempts are predictions, not executions: executions used up by time-outs, crashes or deploys are run again.
 * G2 A prediction that succeeded is stored, also when the budget of time ran out meanwhile.
 * G4 A clip is over only when each of its predictions is.
 */
import { ApplicationFailure, isCancellation, sleep } from '@temporalio/workflow';
import type {
  CanceledExecution,
  GenerateClipInput,
  Rendered,
  StoreClipResult,
} from '../domain/activity.js';
import { backoffSeconds, isFailureKind, MAX_ATTEMPTS, problem } from '../domain/failures.js';
import type { Problem } from '../domain/failures.js';
import type { Clip, ClipEventType, Prediction } from '../domain/job.js';
import type { ResolvedClip } from '../domain/resolved.js';
import { paidActivities, storing } from './activities.js';
import { endLostInput, generateClipInput, storeClipInput } from './activity-input.js';
import {
  attemptOver,
  canceledExecution,
  causeOf,
  isInterruption,
  lastHeard,
} from './activity-failure.js';
import { ClipLedger } from './clip-ledger.js';
import { completed } from './completed-clip.js';
import type { AttemptFailed, ClipMemory } from './contract.js';
import { Endable, Ended } from './endable.js';
import type { JobContext } from './job-context.js';
import { bookEnd, endLostOf, settleClip } from './settle-clip.js';

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
  readonly #ledger: ClipLedger;
  readonly #since = now();
  #failedAttempts = 0;
  #granted = true;
  #lastError: Problem | null = null;
  readonly #endable = new Endable();
  /** The paid activity was asked and has not answered; `resume`: the prediction it was last heard of with. */
  #unanswered: { resume: string | null } | null = null;

  constructor(job: JobContext, clip: ResolvedClip, earlier: readonly Prediction[]) {
    this.#job = job;
    this.#clip = clip;
    this.#ledger = new ClipLedger(earlier);
  }

  get #index(): number {
    return this.#clip.clip_index;
  }

  get cost(): number {
    return this.#ledger.cost;
  }

  memory(others: string[]): ClipMemory {
    return {
      failed_attempts: this.#failedAttempts,
      predictions: [...this.#ledger.round],
      claimed: [...this.#ledger.earlier.map(({ id }) => id), ...others],
      granted: this.#granted,
      last_error: this.#lastError,
    };
  }

  cancel(): void {
    this.#endable.cancel();
  }

  /** From the activity, once an attempt: the prediction that exists now. */
  onPredictionCreated(prediction: Prediction): void {
    if (!this.#ledger.enter(prediction)) return;
    this.#record('clip.submitted', {
      status: 'running',
      attempt: prediction.attempt,
      next_attempt_at: null,
    });
  }

  /** This attempt is over, and the next is due in `delay` seconds, if the cap allows it. */
  onAttemptFailed({ attempt, prediction, error, delay }: Omit<AttemptFailed, 'clip_index'>): void {
    if (prediction !== null) this.#ledger.enter(prediction);
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
    for (;;) {
      const rendered = await this.#inScope(() => this.#generate(), { timed: true });
      this.#record('clip.storing', { status: 'storing', next_attempt_at: null, error: null });
      try {
        return await this.#inScope(() => this.#store(rendered), { timed: false });
      } catch (error) {
        const delay = this.#storingFailed(error);
        await this.#inScope(() => sleep(delay * 1000), { timed: true });
      }
    }
  }

  /** Runs the paid activity until an attempt succeeds or none is left. */
  async #generate(): Promise<Rendered> {
    let resume: string | null = null;
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
          resume = lastHeard(cause) ?? this.#ledger.open.at(-1)?.id ?? null;
          unclear = resume === null;
        } else {
          this.#unanswered = null;
          await sleep(this.#attemptFailed(cause) * 1000);
          resume = null;
          unclear = false;
        }
      }
    }
  }

  #execute(memory: Pick<GenerateClipInput, 'resume' | 'unclear'>) {
    const { plan, timings, paidTaskQueue } = this.#job;
    const { clip_index, requested_duration, prompt } = this.#clip;
    const options = {
      activityId: `clip-${String(clip_index)}`,
      summary: `clip ${String(clip_index)} · ${String(requested_duration)} s · ${prompt.slice(0, 60)}`,
    };
    const input = generateClipInput(plan, this.#clip, { ...memory, ...this.#state() });
    return paidActivities(paidTaskQueue, timings).generateClip.executeWithOptions(options, [input]);
  }

  #state() {
    const known = this.#ledger.all.map(({ id }) => id);
    return { failed_attempts: this.#failedAttempts, since: this.#since, known };
  }

  /** G4: a create whose execution died in the middle of it may have come through. */
  async #endLost(): Promise<CanceledExecution | null> {
    if (this.#unanswered === null || this.#ledger.open.length > 0) return null;
    const state = { ...this.#unanswered, ...this.#state() };
    return endLostOf(this.#job, endLostInput(this.#job.plan, this.#clip, state));
  }

  #store(rendered: Rendered): Promise<StoreClipResult> {
    const input = storeClipInput(this.#clip, rendered, now());
    const options = {
      activityId: `store-${String(this.#index)}`,
      summary: `store clip ${String(this.#index)}`,
    };
    const seconds = Math.max(30, (Date.parse(input.expires_at) - Date.now()) / 1000);
    return storing(seconds).storeClip.executeWithOptions(options, [input]);
  }

  /** A failure that Temporal no longer retries: the seconds until the next attempt, or the end of the clip. */
  #attemptFailed(cause: Error): number {
    const over = attemptOver(cause);
    if (over === null) throw new ClipOver(problem('internal', cause.message));
    const { attempt, prediction, error } = over;
    if (!error.retryable) {
      if (prediction !== null) this.#ledger.enter(prediction);
      throw new ClipOver(error);
    }
    return this.#tryAgain(attempt, prediction, error);
  }

  /** Storing gave up: only a wrong duration is worth a new prediction. */
  #storingFailed(error: unknown): number {
    const cause = causeOf(error);
    if (cause === undefined) throw error;
    const kind =
      cause instanceof ApplicationFailure && isFailureKind(cause.type) ? cause.type : 'output_lost';
    const attempt = this.#failedAttempts + 1;
    const found = problem(kind, cause.message);
    if (kind !== 'wrong_duration' || attempt >= MAX_ATTEMPTS) {
      throw new ClipOver({ ...found, retryable: false });
    }
    return this.#tryAgain(attempt, null, found);
  }

  #tryAgain(attempt: number, prediction: Prediction | null, error: Problem): number {
    const delay = backoffSeconds(attempt);
    this.onAttemptFailed({ attempt, prediction, error, delay });
    if (this.#granted) return delay;
    throw new ClipOver(
      problem(
        'over_budget',
        `the next attempt no longer fits max_cost_usd; last error: ${error.message}`,
      ),
    );
  }

  /**
   * Runs work that `cancel` (and, when `timed`, the clip's budget of time) can end, and turns its end into
   * the clip's. Nothing is left running at the provider afterwards.
   */
  async #inScope<T>(work: () => Promise<T>, { timed }: { timed: boolean }): Promise<T> {
    const { clip_timeout } = this.#job.plan;
    const left = Date.parse(this.#since) + clip_timeout * 1000 - Date.now();
    try {
      return await this.#endable.run(work, timed ? left : null);
    } catch (error) {
      if (error instanceof ClipOver) await settleClip(this.#job, this.#clip, this.#ledger);
      if (!(error instanceof Ended)) throw error;
      const end = canceledExecution(error.cause) ?? (await this.#endLost());
      const booked = bookEnd(this.#ledger, end);
      const rendered = (await settleClip(this.#job, this.#clip, this.#ledger)) ?? booked;
      if (error.ending === 'canceled') {
        throw new ClipOver(problem('canceled', 'canceled on request'));
      }
      // G2; only `#generate` is both timed and waited for with a result.
      if (rendered !== null) return rendered as T;
      const message = `expected an end within clip_timeout (${String(clip_timeout)} s)`;
      throw new ClipOver(problem('timed_out', message));
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
      predictions: this.#ledger.all,
      cost_usd: this.#ledger.knownCost,
      ...change,
    });
  }
}
