/**
 * Which clip runs when. One rule for both ways of dispatching: a batch starts when no clip renders, a window fills each slot
 * that is free. A clip that can no longer be run is ended here, with the reason.
 *
 * DISPATCH-1 At most batch_size clips hold a slot, and only those have a prediction alive at the provider. A clip holds its
 *    slot until its render has ended; while its file is stored, the next clip may start.
 * DISPATCH-2 A clip whose file turns out wrong is the first to get a free slot.
 * DISPATCH-3 When the history of the run is full, nothing more is started; the job continues in a new run when nothing is in
 *    flight.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { AttemptOver, RefusedClip } from '../contract/activities.js';
import type { ClipMemory, RateLimited } from '../contract/workflow.js';
import { problem } from '../domain/job/failure-kinds.js';
import type { FailureKind } from '../domain/job/failure-kinds.js';
import type { Clip, Prediction } from '../domain/job/job.schema.js';
import { isClipOver } from '../domain/job/progress.js';
import { ClipRun } from './clip-run.js';
import type { Asked } from './clip-run.js';
import type { JobState } from './job-state.js';

interface InFlight {
  run: ClipRun;
  /** Resolves when the run is over and has left the dispatcher. */
  ended: Promise<void>;
}

export class Dispatcher {
  readonly #job: JobState;
  readonly #isHistoryFull: () => boolean;
  /** Clips to be started, in this order. */
  #queue: number[];
  /** Clips that were started and are not over: they render, back off or store. */
  readonly #inFlight = new Map<number, InFlight>();
  /** Those of them that hold a slot. */
  readonly #slots = new Set<number>();
  /** Those of them that need a slot again, in this order. */
  readonly #waitingForSlot: number[] = [];
  #isCanceled = false;

  constructor(job: JobState, isHistoryFull: () => boolean) {
    this.#job = job;
    this.#isHistoryFull = isHistoryFull;
    this.#queue = this.#inOrder(job.log.job.clips.filter(({ status }) => status === 'queued'));
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#inFlight.size === 0;
  }

  /** Runs until nothing is queued or in flight (`idle`), or nothing more can be started in this run (`full`, DISPATCH-3). */
  async run(): Promise<'idle' | 'full'> {
    while (!this.isIdle) {
      await untilTrue(() => this.isIdle || this.#isDrained || this.#isHalted || this.#mayStart());
      if (this.isIdle) break;
      if (this.#isDrained) return 'full';
      if (this.#endHopeless()) continue;
      // A second signal in the same activation may have paused the job.
      if (!this.#mayStart()) continue;
      if (this.#waitingForSlot.length > 0) {
        this.#slots.add(this.#waitingForSlot.shift() ?? NaN);
        continue;
      }
      const due = this.#job.prepared.due(this.#queue);
      // The images take time: what signals changed meanwhile is checked again before a start.
      if (due.length > 0) this.#refuse(await this.#job.prepared.prepare(due));
      else this.#start(this.#take());
    }
    return 'idle';
  }

  /** After a cancellation of the whole workflow: waits for what is in flight, ends what is queued. */
  async cancel(): Promise<void> {
    this.#isCanceled = true;
    await CancellationScope.nonCancellable(() =>
      Promise.all([...this.#inFlight.values()].map(({ ended }) => ended)),
    );
    this.#endQueued(() => true, 'canceled', 'canceled on request');
  }

  // Signals and queries

  memory(index: number): ClipMemory {
    const run = this.#runOf(index);
    if (run === undefined) throw new Error(`expected clip ${String(index)} to be in flight`);
    const others = [...this.#job.clipStates.values()].filter((state) => state.index !== index);
    return run.memory(others.flatMap(({ predictions }) => predictions.map(({ id }) => id)));
  }

  cancelClip(index: number | null): void {
    const clip = index === null ? undefined : this.#job.log.clip(index);
    if (clip === undefined) this.#job.rejectSignal('cancelClip', 'a clip_index of this job');
    else if (isClipOver(clip.status)) {
      this.#job.rejectSignal('cancelClip', `clip ${String(index)} to be unfinished`);
    } else if (this.#queue.includes(clip.clip_index)) {
      this.#endQueued((queued) => queued === clip.clip_index, 'canceled', 'canceled on request');
    } else this.#runOf(clip.clip_index)?.cancel();
  }

  /** `seenEnd`: the end of the clip that the sender of the signal saw; null where it does not say. */
  retryClip(index: number | null, seenEnd: string | null): void {
    const { log } = this.#job;
    const reject = (expected: string): void => {
      this.#job.rejectSignal('retryClip', expected);
    };
    const clip = index === null ? undefined : log.clip(index);
    if (clip === undefined) reject('a clip_index of this job');
    else if (clip.status !== 'failed' && clip.status !== 'canceled') {
      reject(`clip ${String(index)} to be failed or canceled`);
    } else if (seenEnd !== null && seenEnd !== clip.completed_at) {
      reject(`clip ${String(index)} not to have run again since ${seenEnd}`);
    } else if (this.#isCanceled) {
      // It would never be started: the job only waits for its archive.
      reject('a job that is not being canceled; retry it once it is over');
    } else this.#queueAgain(clip.clip_index);
  }

  #queueAgain(index: number): void {
    const { log, models } = this.#job;
    this.#job.clearHalt();
    const state = this.#job.clipState(index);
    state.resetModel();
    const queued = new Set([...this.#queue, index]);
    this.#queue = this.#inOrder(log.job.clips.filter(({ clip_index }) => queued.has(clip_index)));
    const change: Partial<Clip> = {
      status: 'queued',
      waits_for: 'turn',
      attempt: 0,
      retry_count: 0,
      next_attempt_at: null,
      completed_at: null,
      error: null,
    };
    log.recordClip('clip.retrying', index, change, models.named(state.model).shown);
  }

  setMaxCost(usd: number | null): void {
    const { budget, log, models } = this.#job;
    if (usd === null) {
      this.#job.rejectSignal('setMaxCost', 'a max_cost_usd above 0');
      return;
    }
    if (!models.arePriced) {
      this.#job.rejectSignal('setMaxCost', 'a model with a known price');
      return;
    }
    const before = budget.cap === null ? 'none' : `$${String(budget.cap)}`;
    budget.cap = usd;
    log.warn(`the cost cap is now $${String(usd)} (before: ${before})`, { max_cost_usd: usd });
    for (const { run } of this.#inFlight.values()) run.onCapChanged();
  }

  onPredictionCreated(index: number, prediction: Prediction, asked: Asked): void {
    const run = this.#runOf(index);
    const isKnown = (): boolean =>
      this.#job.clipStates.get(index)?.predictions.some(({ id }) => id === prediction.id) === true;
    if (run !== undefined) run.onPredictionCreated(prediction, asked);
    else if (!isKnown()) {
      const message = `prediction ${prediction.id} was created when its clip was over; end it, or let its deadline end it (${prediction.url})`;
      this.#job.log.warn(message, { clip_index: index });
    }
  }

  onAttemptFailed(index: number, over: AttemptOver, asked: Asked): void {
    this.#runOf(index)?.onAttemptFailed(over, asked);
  }

  onRateLimited({ clip_index, seconds, message, asked_at }: RateLimited): void {
    this.#runOf(clip_index)?.onRateLimited(message, asked_at ?? null);
    this.#job.log.warn(
      `Replicate limits the rate of creates; waiting ${String(seconds)} s (${message})`,
      { clip_index, waits_for: 'rate' },
    );
  }

  onAsked(index: number, askedAt: string): void {
    this.#runOf(index)?.onAsked(askedAt);
  }

  #runOf(index: number): ClipRun | undefined {
    return this.#inFlight.get(index)?.run;
  }

  // Dispatching

  get #isDrained(): boolean {
    return this.#inFlight.size === 0 && this.#isHistoryFull();
  }

  /** No queued clip is started any more. */
  get #isHalted(): boolean {
    return this.#job.halt !== null && this.#queue.length > 0;
  }

  /** While any clip holds a reservation, it may give money back: that the cap has no room is not final. */
  get #isMoneyReserved(): boolean {
    return [...this.#inFlight.keys()].some((index) => this.#job.clipState(index).isReserved);
  }

  #mayStart(): boolean {
    const { plan, isPaused, budget } = this.#job;
    const { dispatch, batch_size } = plan;
    if (this.#waitingForSlot.length > 0) return this.#slots.size < batch_size;
    if (isPaused || this.#queue.length === 0 || this.#isHistoryFull()) return false;
    const hasRoom = dispatch === 'window' ? this.#slots.size < batch_size : this.#slots.size === 0;
    if (!hasRoom || this.#queue.every((index) => this.#inFlight.has(index))) return false;
    return !this.#isMoneyReserved || budget.affordable(this.#queue) > 0;
  }

  /** Ends queued clips that cannot be run any more; true when there were any. */
  #endHopeless(): boolean {
    const { budget, halt, log, plan } = this.#job;
    const before = this.#queue.length;
    if (halt !== null) this.#endQueued(() => true, halt.kind, halt.message);
    const { successful_clips, min_successful_clips } = log.job;
    const isMoneyReserved = this.#isMoneyReserved;
    const payable = isMoneyReserved ? this.#queue.length : budget.affordable(this.#queue);
    const possible = successful_clips + this.#inFlight.size + payable;
    if (plan.stop_when_unreachable && possible < min_successful_clips) {
      this.#endQueued(
        () => true,
        'unreachable',
        `at most ${String(possible)} clips could still succeed, ${String(min_successful_clips)} are needed`,
      );
    }
    if (!isMoneyReserved && budget.affordable(this.#queue) === 0) {
      this.#endQueued(
        () => true,
        'over_budget',
        `does not fit max_cost_usd ${String(budget.cap)}: ${budget.spentInWords}`,
      );
    }
    return this.#queue.length < before;
  }

  /** The next clips of the queue, as many as there are slots and as the cap allows; their money is reserved. */
  #take(): number[] {
    const { budget, plan } = this.#job;
    const room = plan.batch_size - this.#slots.size;
    const taken: number[] = [];
    for (const index of this.#queue) {
      if (taken.length === room) break;
      if (this.#inFlight.has(index)) continue;
      if (budget.reserve(this.#job.clipState(index))) taken.push(index);
    }
    this.#queue = this.#queue.filter((index) => !taken.includes(index));
    return taken;
  }

  #start(indexes: number[]): void {
    if (indexes.length === 0) return;
    const { log, plan } = this.#job;
    if (plan.dispatch === 'batches') {
      const toCome = Math.ceil(this.#queue.length / plan.batch_size);
      const batch = ++this.#job.batches;
      log.record({ type: 'batch.started', batch, batches: batch + toCome, clip_indexes: indexes });
    }
    for (const index of indexes) this.#launch(index);
  }

  #launch(index: number): void {
    const run = new ClipRun(this.#job, index, {
      release: () => {
        this.#slots.delete(index);
      },
      reacquire: () => this.#reacquireSlot(index),
    });
    const inFlight: InFlight = { run, ended: Promise.resolve() };
    this.#inFlight.set(index, inFlight);
    this.#slots.add(index);
    inFlight.ended = run.run().then(() => {
      this.#slots.delete(index);
      this.#inFlight.delete(index);
    });
  }

  /** DISPATCH-2 */
  async #reacquireSlot(index: number): Promise<void> {
    if (this.#slots.has(index)) return;
    this.#waitingForSlot.push(index);
    try {
      await untilTrue(() => this.#slots.has(index));
    } finally {
      const place = this.#waitingForSlot.indexOf(index);
      if (place >= 0) this.#waitingForSlot.splice(place, 1);
    }
  }

  /** Ends clips whose images cannot be used: unpaid, without an attempt. */
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

  /** By clip_index; first those that carry something over, because it may be alive (DISPATCH-1). */
  #inOrder(queued: readonly Clip[]): number[] {
    const indexes = queued.map(({ clip_index }) => clip_index).sort((a, b) => a - b);
    const isFirst = (index: number): boolean => this.#job.clipState(index).carriesOver;
    return [...indexes.filter(isFirst), ...indexes.filter((index) => !isFirst(index))];
  }
}

/**
 * As `condition`, but rejects also when one activation has both the signal that makes it true and the workflow's cancellation.
 * Signals are handled first, so `condition` alone would have ended before the cancellation, and would miss it.
 */
async function untilTrue(isTrue: () => boolean): Promise<void> {
  await condition(isTrue);
  const scope = CancellationScope.current();
  if (scope.consideredCancelled) await scope.cancelRequested;
}
