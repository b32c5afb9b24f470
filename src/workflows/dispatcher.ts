/**
 * Which clip runs when. One rule for both ways of dispatching: a batch starts when nothing is in flight, a
 * window fills whatever is free. What can no longer be run is ended here, with the reason.
 *
 * D1 Never more than batch_size clips in flight, hence predictions alive at the provider.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { RefusedClip, ResolvePlanResult, Timings } from '../domain/activity.js';
import { FAILURES, problem } from '../domain/failure-kinds.js';
import type { FailureKind, Problem } from '../domain/failure-kinds.js';
import { isClipOver } from '../domain/progress.js';
import type { ResolvedPlan } from '../domain/resolved.js';
import { Budget } from './budget.js';
import type { Account } from './budget.js';
import type { AttemptFailed, ClipMemory, PredictionCreated, RateLimited } from './contract.js';
import { ClipRun } from './generate-clip.js';
import type { JobContext } from './job-context.js';
import type { JobLog } from './job-log.js';
import type { LeftBehind } from './left-behind.js';
import { ReferenceImages } from './reference-images.js';
import { until } from './until.js';

export class Dispatcher implements JobContext {
  readonly plan: ResolvedPlan;
  readonly timings: Timings;
  readonly paidTaskQueue: string;
  readonly log: JobLog;
  readonly budget: Budget;
  readonly #images: ReferenceImages;
  readonly #left: LeftBehind;
  readonly #running = new Map<number, ClipRun>();
  readonly #finished = new Set<Promise<void>>();
  #queue: number[];
  #paused = false;
  #isCanceled = false;
  #halt: Problem | null = null;
  #batch = 0;

  constructor(
    { resolved, timings }: ResolvePlanResult,
    log: JobLog,
    paidTaskQueue: string,
    left: LeftBehind,
  ) {
    this.plan = resolved;
    this.timings = timings;
    this.paidTaskQueue = paidTaskQueue;
    this.log = log;
    this.#images = new ReferenceImages(resolved, log);
    this.#left = left;
    this.#queue = left.inOrder(log.job.clips.filter(({ status }) => status === 'queued'));
    this.budget = new Budget(log.job.max_cost_usd, () => this.#accounts());
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#running.size === 0;
  }

  /** Runs until nothing is queued or in flight. */
  async run(): Promise<void> {
    while (!this.isIdle) {
      await until(() => this.isIdle || this.#mayStart());
      if (this.#endHopeless()) continue;
      // Of two signals that came together the first may have let us through, and the second was "pause".
      if (!this.#mayStart()) continue;
      const due = this.#images.due(this.#queue);
      // Whatever was asked for while the images were looked at counts before a start.
      if (due.length > 0) this.#refuse(await this.#images.prepare(due));
      else this.#start(this.#take());
    }
  }

  /** After a cancellation of the whole workflow: waits for what is in flight, ends what is queued. */
  async cancel(): Promise<void> {
    this.#isCanceled = true;
    await CancellationScope.nonCancellable(() => Promise.all(this.#finished));
    this.#endQueued(() => true, 'canceled', 'canceled on request');
  }

  memory(clipIndex: number): ClipMemory {
    const run = this.#running.get(clipIndex);
    if (run === undefined) throw new Error(`expected clip ${String(clipIndex)} to be in flight`);
    const others = this.log.job.clips.filter(({ clip_index }) => clip_index !== clipIndex);
    const recorded = others.flatMap(({ predictions }) => predictions.map(({ id }) => id));
    return run.memory(recorded);
  }

  cancelClip(index: number | null): void {
    const clip = index === null ? undefined : this.log.clip(index);
    if (clip === undefined) this.#senseless('cancelClip', 'a clip_index of this job');
    else if (isClipOver(clip.status))
      this.#senseless('cancelClip', `clip ${String(index)} to be unfinished`);
    else if (this.#queue.includes(clip.clip_index)) {
      this.#endQueued((queued) => queued === clip.clip_index, 'canceled', 'canceled on request');
    } else this.#running.get(clip.clip_index)?.cancel();
  }

  /** `seen` is the end that was seen by whoever asks; null where nobody says. */
  retryClip(index: number | null, seen: string | null): void {
    const clip = index === null ? undefined : this.log.clip(index);
    if (clip === undefined) this.#senseless('retryClip', 'a clip_index of this job');
    else if (clip.status !== 'failed' && clip.status !== 'canceled') {
      this.#senseless('retryClip', `clip ${String(index)} to be failed or canceled`);
    } else if (seen !== null && seen !== clip.completed_at) {
      this.#senseless('retryClip', `clip ${String(index)} not to have run again since ${seen}`);
    } else if (this.#isCanceled) {
      // Nobody would run it: the job is only waiting for its archive.
      this.#senseless('retryClip', 'a job that is not being canceled; retry it once it is over');
    } else {
      this.#halt = null;
      const queued = new Set([...this.#queue, clip.clip_index]);
      this.#queue = this.#left.inOrder(
        this.log.job.clips.filter(({ clip_index }) => queued.has(clip_index)),
      );
      this.log.recordClip('clip.retrying', clip.clip_index, {
        status: 'queued',
        attempt: 0,
        retry_count: 0,
        next_attempt_at: null,
        completed_at: null,
        error: null,
      });
    }
  }

  pause(): void {
    if (this.#paused) {
      this.#senseless('pause', 'a job that is not paused');
      return;
    }
    this.#paused = true;
    this.log.record({ type: 'job.paused' });
  }

  resume(): void {
    if (!this.#paused) {
      this.#senseless('resume', 'a paused job');
      return;
    }
    this.#paused = false;
    this.log.record({ type: 'job.resumed' });
  }

  setMaxCost(usd: number | null): void {
    if (usd === null) {
      this.#senseless('setMaxCost', 'a max_cost_usd above 0');
      return;
    }
    if (this.plan.estimated_cost_usd === null) {
      this.#senseless('setMaxCost', 'a model with a known price');
      return;
    }
    const before = this.budget.cap === null ? 'none' : `$${String(this.budget.cap)}`;
    this.budget.cap = usd;
    this.log.warn(`the cost cap is now $${String(usd)} (before: ${before})`, { max_cost_usd: usd });
    for (const run of this.#running.values()) run.onCapChanged();
  }

  onPredictionCreated({ clip_index, prediction }: PredictionCreated): void {
    const run = this.#running.get(clip_index);
    if (run !== undefined) run.onPredictionCreated(prediction);
    else if (!this.log.hasPrediction(clip_index, prediction.id)) {
      const message = `prediction ${prediction.id} was created when its clip was over; end it, or let its deadline end it (${prediction.url})`;
      this.log.warn(message, { clip_index });
    }
  }

  onAttemptFailed({ clip_index, ...failed }: AttemptFailed): void {
    this.#running.get(clip_index)?.onAttemptFailed(failed);
  }

  onRateLimited({ clip_index, seconds, message }: RateLimited): void {
    this.#running.get(clip_index)?.onRateLimited(message);
    this.log.warn(
      `Replicate limits the rate of creates; waiting ${String(seconds)} s (${message})`,
      { clip_index },
    );
  }

  onClipFailed(error: Problem): void {
    if (!FAILURES[error.kind].halts || this.#halt !== null) return;
    this.#halt = error;
    this.log.warn(`no further clip is started: ${error.message}. ${FAILURES[error.kind].advice}`);
  }

  #mayStart(): boolean {
    if (this.#paused || this.#queue.length === 0) return false;
    const { dispatch, batch_size } = this.plan;
    const hasRoom =
      dispatch === 'window' ? this.#running.size < batch_size : this.#running.size === 0;
    // A reservation may be given back while something is in flight; only then is "does not fit" final.
    return hasRoom && (this.#running.size === 0 || this.budget.affordable(this.#queue) > 0);
  }

  /** Ends queued clips that cannot be run any more; true when there were any. */
  #endHopeless(): boolean {
    const before = this.#queue.length;
    if (this.#halt !== null) this.#endQueued(() => true, this.#halt.kind, this.#halt.message);
    const { successful_clips, min_successful_clips } = this.log.job;
    // While others run it is not known what they give back.
    const payable =
      this.#running.size === 0 ? this.budget.affordable(this.#queue) : this.#queue.length;
    const possible = successful_clips + this.#running.size + payable;
    if (this.plan.stop_when_unreachable && possible < min_successful_clips) {
      this.#endQueued(
        () => true,
        'unreachable',
        `at most ${String(possible)} clips could still succeed, ${String(min_successful_clips)} are needed`,
      );
    }
    if (this.#running.size === 0 && this.budget.affordable(this.#queue) === 0) {
      this.#endQueued(
        () => true,
        'over_budget',
        `does not fit max_cost_usd ${String(this.budget.cap)}: ${this.budget.spentInWords}`,
      );
    }
    return this.#queue.length < before;
  }

  #take(): number[] {
    const room = this.plan.batch_size - this.#running.size;
    const taken: number[] = [];
    for (const index of this.#queue) {
      if (taken.length === room) break;
      if (this.#running.has(index)) continue;
      if (this.budget.reserve(index)) taken.push(index);
    }
    this.#queue = this.#queue.filter((index) => !taken.includes(index));
    return taken;
  }

  #start(indexes: number[]): void {
    if (indexes.length === 0) return;
    if (this.plan.dispatch === 'batches') {
      const left = Math.ceil(this.#queue.length / this.plan.batch_size);
      const batch = ++this.#batch;
      this.log.record({
        type: 'batch.started',
        batch,
        batches: batch + left,
        clip_indexes: indexes,
      });
    }
    for (const index of indexes) this.#launch(index);
  }

  #launch(index: number): void {
    const clip = this.log.clip(index);
    if (clip === undefined) throw new Error(`no clip ${String(index)}`);
    const run = new ClipRun(this, this.#images.clip(index), clip, this.#left.take(clip));
    this.#running.set(index, run);
    const finished = run.run().then(() => {
      if (this.#running.get(index) === run) this.#running.delete(index);
      this.#finished.delete(finished);
    });
    this.#finished.add(finished);
  }

  /** Ends clips whose images nobody can use: unpaid, without an attempt. */
  #refuse(refused: readonly RefusedClip[]): void {
    for (const { clip_index, error } of refused) {
      if (!this.#queue.includes(clip_index)) continue;
      this.#queue = this.#queue.filter((index) => index !== clip_index);
      this.log.recordClip('clip.failed', clip_index, {
        status: 'failed',
        completed_at: new Date().toISOString(),
        error,
      });
      this.onClipFailed(error);
    }
  }

  #endQueued(which: (index: number) => boolean, kind: FailureKind, message: string): void {
    const ended = this.#queue.filter(which);
    this.#queue = this.#queue.filter((index) => !which(index));
    for (const index of ended) {
      this.log.recordClip('clip.canceled', index, {
        status: 'canceled',
        completed_at: new Date().toISOString(),
        error: problem(kind, message),
      });
    }
  }

  /** Every clip with every prediction; of those in flight the run knows first. */
  #accounts(): Account[] {
    return this.log.job.clips.map((clip) => {
      const { clip_index, estimated_cost_usd } = clip;
      const lines = this.#running.get(clip_index)?.lines;
      const left = lines === undefined ? (this.#left.of(clip)?.id ?? null) : null;
      return { clip_index, estimated_cost_usd, predictions: lines ?? clip.predictions, left };
    });
  }

  #senseless(signal: string, expected: string): void {
    this.log.warn(`signal ${signal}: expected ${expected}; it was ignored`);
  }
}
