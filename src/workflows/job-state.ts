/**
 * All that a job decides with: the plan as it was checked, the log with what is shown of the job, the state of each clip, and
 * the budget over them. The dispatcher decides which clip runs when. While nothing is in flight, all of it can be carried into
 * the next run of the chain.
 */
import type { CarriedClip, CarriedJob, ResolvePlanResult } from '../contract/activities.js';
import type { Timings } from '../contract/timings.js';
import { ruleOf } from '../domain/job/failure-kinds.js';
import type { Clip, ClipEventType, Problem } from '../domain/job/job.schema.js';
import type { ResolvedPlan } from '../domain/plan/resolved.js';
import { Budget } from './budget.js';
import { ClipModels } from './clip-models.js';
import type { ClipModel } from './clip-models.js';
import { ClipState } from './clip-state.js';
import type { JobLog } from './job-log.js';
import type { PreparedClips } from './prepared-clips.js';
import { SharedTimer } from './shared-timer.js';

/** What a run of the job starts with, in addition to its log. */
export type Carried = Omit<CarriedJob, 'job' | 'events'>;

export class JobState {
  readonly checked: ResolvePlanResult;
  readonly log: JobLog;
  readonly models: ClipModels;
  readonly clipStates: ReadonlyMap<number, ClipState>;
  readonly budget: Budget;
  readonly timer = new SharedTimer();
  readonly isRetried: boolean;
  /** How many batches were started. */
  batches: number;
  #halt: Problem | null;

  constructor(log: JobLog, { checked, clips, prepared, halt, batches, retried }: Carried) {
    this.checked = checked;
    this.log = log;
    this.isRetried = retried;
    this.batches = batches;
    this.#halt = halt;
    const carried = new Map(clips.map((clip) => [clip.clip_index, clip]));
    const carryOverFor = retried ? checked.resolved.clip_timeout : null;
    this.models = new ClipModels(checked.resolved, log, prepared);
    this.clipStates = new Map(
      log.job.clips.map((clip) => {
        const { clip_index } = clip;
        const estimates = this.models.estimates(clip_index);
        return [clip_index, new ClipState(clip, carryOverFor, carried.get(clip_index), estimates)];
      }),
    );
    this.budget = new Budget(log.job.max_cost_usd, this.clipStates);
  }

  get plan(): ResolvedPlan {
    return this.checked.resolved;
  }

  get timings(): Timings {
    return this.checked.timings;
  }

  /** On the plan's own model, with which clips begin. */
  get prepared(): PreparedClips {
    return this.models.first.prepared;
  }

  get isPaused(): boolean {
    return this.log.job.status === 'paused';
  }

  clipState(index: number): ClipState {
    const state = this.clipStates.get(index);
    if (state === undefined) throw new Error(`expected clip ${String(index)} in the job`);
    return state;
  }

  /** An event of a clip, with its predictions as they stand; `model`: the one that makes it from now on. */
  recordClip(type: ClipEventType, index: number, change: Partial<Clip>, model?: ClipModel): void {
    const { predictions, knownCost: cost_usd } = this.clipState(index);
    const known = { predictions: [...predictions], cost_usd };
    this.log.recordClip(type, index, { ...known, ...change }, model?.shown);
  }

  /** Why no further clip is started; null where nothing forbids it. */
  get halt(): Problem | null {
    return this.#halt;
  }

  /** Some failures (no credit, no access) stop the clips that have not started. */
  onClipFailed(error: Problem): void {
    if (ruleOf(error.kind).halts) this.haltFor(error);
  }

  /** Starts no further clip, for a reason that each of them would meet. */
  haltFor(error: Problem): void {
    if (this.#halt !== null) return;
    this.#halt = error;
    this.log.warn(`no further clip is started: ${error.message}. ${ruleOf(error.kind).advice}`);
  }

  /** A clip is asked for again. */
  clearHalt(): void {
    this.#halt = null;
  }

  /** A rejected signal becomes a warning. */
  rejectSignal(signal: string, expected: string): void {
    this.log.warn(`signal ${signal}: expected ${expected}; it was ignored`);
  }

  /** For the next run of the chain; nothing may be in flight. */
  carry(): Carried {
    return {
      checked: this.checked,
      clips: [...this.clipStates.values()].flatMap(({ carried }): CarriedClip[] =>
        carried === null ? [] : [carried],
      ),
      prepared: this.prepared.carry(),
      halt: this.#halt,
      batches: this.batches,
      retried: this.isRetried,
    };
  }
}
