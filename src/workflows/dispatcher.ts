/**
 * Which clip runs when. One rule for both ways of dispatching: a batch starts when nothing renders, a window fills
 * whatever is free. What can no longer be run is ended here, with the reason.
 *
 * D1 Never more than batch_size clips hold a slot, hence predictions alive at the provider. A clip holds one until its render
 *    has ended; while its file is stored, the next may start.
 * D2 A clip whose file turns out wrong is the first to get a free slot.
 * D3 A job whose history is full starts nothing more until nothing is in flight, and continues in a new run then.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { AttemptOver, RefusedClip } from '../contract/activities.js';
import { problem } from '../domain/job/failure-kinds.js';
import type { FailureKind } from '../domain/job/failure-kinds.js';
import type { Clip, Prediction } from '../domain/job/job.schema.js';
import { isClipOver } from '../domain/job/progress.js';
import { ClipRun } from './clip-run.js';
import type { Asked } from './clip-run.js';
import type { ClipMemory, RateLimited } from '../contract/workflow.js';
import type { JobState } from './job-state.js';
import { until } from './until.js';

export class Dispatcher {
  readonly #job: JobState;
  readonly #isFull: () => boolean;
  readonly #runs = new Map<number, ClipRun>();
  readonly #finished = new Set<Promise<void>>();
  /** Clips that hold a slot. */
  readonly #slots = new Set<number>();
  /** Clips under way that need a slot again. */
  readonly #again: number[] = [];
  #queue: number[];
  #isCanceled = false;

  /** `isFull`: the history of this run is as long as it should become. */
  constructor(job: JobState, isFull: () => boolean) {
    this.#job = job;
    this.#isFull = isFull;
    this.#queue = this.#inOrder(job.log.job.clips.filter(({ status }) => status === 'queued'));
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#runs.size === 0;
  }

  /** Runs until nothing is queued or in flight, or the history is full and nothing is in flight (D3). */
  async run(): Promise<'idle' | 'full'> {
    while (!this.isIdle) {
      await until(() => this.isIdle || this.#isDrained || this.#isHalted || this.#mayStart());
      if (this.isIdle) break;
      if (this.#isDrained) return 'full';
      if (this.#endHopeless()) continue;
      // Of two signals that came together the first may have let us through, and the second was "pause".
      if (!this.#mayStart()) continue;
      if (this.#again.length > 0) {
        this.#slots.add(this.#again.shift() ?? NaN);
        continue;
      }
      const due = this.#job.images.due(this.#queue);
      // Whatever was asked for while the images were looked at counts before a start.
      if (due.length > 0) this.#refuse(await this.#job.images.prepare(due));
      else this.#start(this.#take());
    }
    return 'idle';
  }

  /** After a cancellation of the whole workflow: waits for what is in flight, ends what is queued. */
  async cancel(): Promise<void> {
    this.#isCanceled = true;
    await CancellationScope.nonCancellable(() => Promise.all(this.#finished));
    this.#endQueued(() => true, 'canceled', 'canceled on request');
  }

  // What a clip that is under way does with its slot

  /** Its render is over: the next clip may start. */
  #leaveSlot(index: number): void {
    this.#slots.delete(index);
  }

  /** D2 */
  async #slotAgain(index: number): Promise<void> {
    if (this.#slots.has(index)) return;
    this.#again.push(index);
    try {
      await until(() => this.#slots.has(index));
    } finally {
      const place = this.#again.indexOf(index);
      if (place >= 0) this.#again.splice(place, 1);
    }
  }

  // Messages

  memory(index: number): ClipMemory {
    const run = this.#runs.get(index);
    if (run === undefined) throw new Error(`expected clip ${String(index)} to be in flight`);
    const others = [...this.#job.books.values()].filter((book) => book.index !== index);
    return run.memory(others.flatMap(({ all }) => all.map(({ id }) => id)));
  }

  cancelClip(index: number | null): void {
    const clip = index === null ? undefined : this.#job.log.clip(index);
    if (clip === undefined) this.#job.senseless('cancelClip', 'a clip_index of this job');
    else if (isClipOver(clip.status))
      this.#job.senseless('cancelClip', `clip ${String(index)} to be unfinished`);
    else if (this.#queue.includes(clip.clip_index)) {
      this.#endQueued((queued) => queued === clip.clip_index, 'canceled', 'canceled on request');
    } else this.#runs.get(clip.clip_index)?.cancel();
  }

  /** `seen` is the end that was seen by whoever asks; null where nobody says. */
  retryClip(index: number | null, seen: string | null): void {
    const { log } = this.#job;
    const clip = index === null ? undefined : log.clip(index);
    if (clip === undefined) this.#job.senseless('retryClip', 'a clip_index of this job');
    else if (clip.status !== 'failed' && clip.status !== 'canceled') {
      this.#job.senseless('retryClip', `clip ${String(index)} to be failed or canceled`);
    } else if (seen !== null && seen !== clip.completed_at) {
      this.#job.senseless('retryClip', `clip ${String(index)} not to have run again since ${seen}`);
    } else if (this.#isCanceled) {
      // Nobody would run it: the job is only waiting for its archive.
      this.#job.senseless(
        'retryClip',
        'a job that is not being canceled; retry it once it is over',
      );
    } else {
      this.#job.endHalt();
      const book = this.#job.book(clip.clip_index);
      book.reset();
      const queued = new Set([...this.#queue, clip.clip_index]);
      this.#queue = this.#inOrder(log.job.clips.filter(({ clip_index }) => queued.has(clip_index)));
      log.recordClip(
        'clip.retrying',
        clip.clip_index,
        {
          status: 'queued',
          waits_for: 'turn',
          attempt: 0,
          retry_count: 0,
          next_attempt_at: null,
          completed_at: null,
          error: null,
        },
        this.#job.makers.named(book.model).shown,
      );
    }
  }

  setMaxCost(usd: number | null): void {
    const { budget, log, makers } = this.#job;
    if (usd === null) {
      this.#job.senseless('setMaxCost', 'a max_cost_usd above 0');
      return;
    }
    if (!makers.arePriced) {
      this.#job.senseless('setMaxCost', 'a model with a known price');
      return;
    }
    const before = budget.cap === null ? 'none' : `$${String(budget.cap)}`;
    budget.cap = usd;
    log.warn(`the cost cap is now $${String(usd)} (before: ${before})`, { max_cost_usd: usd });
    for (const run of this.#runs.values()) run.onCapChanged();
  }

  onPredictionCreated(index: number, prediction: Prediction, asked: Asked): void {
    const run = this.#runs.get(index);
    if (run !== undefined) run.onPredictionCreated(prediction, asked);
    else if (this.#job.books.get(index)?.all.some(({ id }) => id === prediction.id) !== true) {
      const message = `prediction ${prediction.id} was created when its clip was over; end it, or let its deadline end it (${prediction.url})`;
      this.#job.log.warn(message, { clip_index: index });
    }
  }

  onAttemptFailed(index: number, over: AttemptOver, asked: Asked): void {
    this.#runs.get(index)?.onAttemptFailed(over, asked);
  }

  onRateLimited({ clip_index, seconds, message, asked_at }: RateLimited): void {
    this.#runs.get(clip_index)?.onRateLimited(message, asked_at ?? null);
    this.#job.log.warn(
      `Replicate limits the rate of creates; waiting ${String(seconds)} s (${message})`,
      { clip_index, waits_for: 'rate' },
    );
  }

  onAsked(index: number, askedAt: string): void {
    this.#runs.get(index)?.onAsked(askedAt);
  }

  // Dispatching

  get #isDrained(): boolean {
    return this.#runs.size === 0 && this.#isFull();
  }

  /** Nothing more is started, whatever is still under way. */
  get #isHalted(): boolean {
    return this.#job.halt !== null && this.#queue.length > 0;
  }

  /** What a clip under way gives back is not known before; only without any is "does not fit" final. */
  get #isMoneyHeld(): boolean {
    return [...this.#runs.keys()].some((index) => this.#job.book(index).isHeld);
  }

  #mayStart(): boolean {
    const { plan, isPaused, budget } = this.#job;
    const { dispatch, batch_size } = plan;
    if (this.#again.length > 0) return this.#slots.size < batch_size;
    if (isPaused || this.#queue.length === 0 || this.#isFull()) return false;
    const hasRoom = dispatch === 'window' ? this.#slots.size < batch_size : this.#slots.size === 0;
    if (!hasRoom || this.#queue.every((index) => this.#runs.has(index))) return false;
    return !this.#isMoneyHeld || budget.affordable(this.#queue) > 0;
  }

  /** Ends queued clips that cannot be run any more; true when there were any. */
  #endHopeless(): boolean {
    const { budget, halt, log, plan } = this.#job;
    const before = this.#queue.length;
    if (halt !== null) this.#endQueued(() => true, halt.kind, halt.message);
    const { successful_clips, min_successful_clips } = log.job;
    const isMoneyHeld = this.#isMoneyHeld;
    const payable = isMoneyHeld ? this.#queue.length : budget.affordable(this.#queue);
    const possible = successful_clips + this.#runs.size + payable;
    if (plan.stop_when_unreachable && possible < min_successful_clips) {
      this.#endQueued(
        () => true,
        'unreachable',
        `at most ${String(possible)} clips could still succeed, ${String(min_successful_clips)} are needed`,
      );
    }
    if (!isMoneyHeld && budget.affordable(this.#queue) === 0) {
      this.#endQueued(
        () => true,
        'over_budget',
        `does not fit max_cost_usd ${String(budget.cap)}: ${budget.spentInWords}`,
      );
    }
    return this.#queue.length < before;
  }

  #take(): number[] {
    const { budget, plan } = this.#job;
    const room = plan.batch_size - this.#slots.size;
    const taken: number[] = [];
    for (const index of this.#queue) {
      if (taken.length === room) break;
      if (this.#runs.has(index)) continue;
      if (budget.reserve(this.#job.book(index))) taken.push(index);
    }
    this.#queue = this.#queue.filter((index) => !taken.includes(index));
    return taken;
  }

  #start(indexes: number[]): void {
    if (indexes.length === 0) return;
    const { log, plan } = this.#job;
    if (plan.dispatch === 'batches') {
      const left = Math.ceil(this.#queue.length / plan.batch_size);
      const batch = ++this.#job.batches;
      log.record({ type: 'batch.started', batch, batches: batch + left, clip_indexes: indexes });
    }
    for (const index of indexes) this.#launch(index);
  }

  #launch(index: number): void {
    const run = new ClipRun(this.#job, index, {
      leave: () => {
        this.#leaveSlot(index);
      },
      again: () => this.#slotAgain(index),
    });
    this.#runs.set(index, run);
    this.#slots.add(index);
    const finished = run.run().then(() => {
      this.#leaveSlot(index);
      this.#runs.delete(index);
      this.#finished.delete(finished);
    });
    this.#finished.add(finished);
  }

  /** Ends clips whose images nobody can use: unpaid, without an attempt. */
  #refuse(refused: readonly RefusedClip[]): void {
    for (const { clip_index, error } of refused) {
      if (!this.#queue.includes(clip_index)) continue;
      this.#queue = this.#queue.filter((index) => index !== clip_index);
      this.#job.log.recordClip('clip.failed', clip_index, {
        status: 'failed',
        completed_at: new Date().toISOString(),
        error,
      });
      this.#job.onClipFailed(error);
    }
  }

  #endQueued(which: (index: number) => boolean, kind: FailureKind, message: string): void {
    const ended = this.#queue.filter(which);
    this.#queue = this.#queue.filter((index) => !which(index));
    for (const index of ended) {
      this.#job.log.recordClip('clip.canceled', index, {
        status: 'canceled',
        completed_at: new Date().toISOString(),
        error: problem(kind, message),
      });
    }
  }

  /** In the order of their start: first those that have left something, for that is alive (D1). */
  #inOrder(queued: readonly Clip[]): number[] {
    const indexes = queued.map(({ clip_index }) => clip_index).sort((a, b) => a - b);
    const isFirst = (index: number): boolean => this.#job.book(index).hasLeft;
    return [...indexes.filter(isFirst), ...indexes.filter((index) => !isFirst(index))];
  }
}
