/**
 * All that a job decides with, in one place: the plan as it was checked, the log with what is shown of the job, and a book
 * for each clip. What the paid activity tells is entered here; who runs when is the dispatcher's business. At a moment when
 * nothing is in flight all of it can be carried into the next run of the chain.
 */
import type { CarriedClip, CarriedJob, ResolvePlanResult } from '../contract/activities.js';
import type { Timings } from '../contract/timings.js';
import { ruleOf } from '../domain/job/failure-kinds.js';
import type { Problem, ClipEventType, Clip } from '../domain/job/job.schema.js';
import type { ResolvedPlan } from '../domain/plan/resolved.js';
import { Budget } from './budget.js';
import { ClipBook } from './clip-state.js';
import { Clock } from './shared-timer.js';
import type { JobLog } from './job-log.js';
import { Makers, type Maker } from './clip-models.js';
import type { ReferenceImages } from './prepared-clips.js';

/** Where the job stands when a run of it begins with a checked plan. */
export type Carried = Omit<CarriedJob, 'job' | 'events'>;

export class JobState {
  readonly checked: ResolvePlanResult;
  readonly log: JobLog;
  readonly books: ReadonlyMap<number, ClipBook>;
  readonly budget: Budget;
  readonly makers: Makers;
  readonly clock = new Clock();
  readonly isRetried: boolean;
  batches: number;
  #halt: Problem | null;

  constructor(log: JobLog, { checked, clips, prepared, halt, batches, retried }: Carried) {
    this.checked = checked;
    this.log = log;
    this.isRetried = retried;
    this.batches = batches;
    this.#halt = halt;
    const carried = new Map(clips.map((clip) => [clip.clip_index, clip]));
    const leftFor = retried ? checked.resolved.clip_timeout : null;
    this.makers = new Makers(checked.resolved, log, prepared);
    this.books = new Map(
      log.job.clips.map((clip) => {
        const { clip_index } = clip;
        const estimates = this.makers.estimates(clip_index);
        return [clip_index, new ClipBook(clip, leftFor, carried.get(clip_index), estimates)];
      }),
    );
    this.budget = new Budget(log.job.max_cost_usd, this.books);
  }

  /** Of the plan's own model: with it clips begin. */
  get images(): ReferenceImages {
    return this.makers.first.images;
  }

  get plan(): ResolvedPlan {
    return this.checked.resolved;
  }

  get timings(): Timings {
    return this.checked.timings;
  }

  get isPaused(): boolean {
    return this.log.job.status === 'paused';
  }

  /** What keeps further clips from being started. */
  get halt(): Problem | null {
    return this.#halt;
  }

  book(index: number): ClipBook {
    const book = this.books.get(index);
    if (book === undefined) throw new Error(`expected clip ${String(index)} in the job`);
    return book;
  }

  /** A fact about one clip, with its predictions as they stand; `maker`: what it is made on from here on. */
  tell(type: ClipEventType, index: number, change: Partial<Clip>, maker?: Maker): void {
    const { all, knownCost: cost_usd } = this.book(index);
    const known = { predictions: [...all], cost_usd };
    this.log.recordClip(type, index, { ...known, ...change }, maker?.shown);
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

  /** Somebody asks for a clip again. */
  endHalt(): void {
    this.#halt = null;
  }

  /** A message that makes no sense becomes a warning. */
  senseless(signal: string, expected: string): void {
    this.log.warn(`signal ${signal}: expected ${expected}; it was ignored`);
  }

  /** For the next run of the chain; nothing may be in flight. */
  carry(): Carried {
    return {
      checked: this.checked,
      clips: [...this.books.values()].flatMap(({ carried }): CarriedClip[] =>
        carried === null ? [] : [carried],
      ),
      prepared: this.images.carry(),
      halt: this.#halt,
      batches: this.batches,
      retried: this.isRetried,
    };
  }
}
