/**
 * The job's log, in workflow state: the only place where facts get their numbers. What is shown of a job anywhere follows from
 * these events.
 *
 * JOB-LOG-1 seq counts from 1 (in a later run of the job: from where the log before it ends), without gaps.
 * JOB-LOG-2 Every answer stays below Temporal's limit of 2 MiB a payload, however large the job is.
 */
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type {
  Clip,
  ClipEventType,
  Job,
  JobEvent,
  JobFact,
  Wait,
} from '../domain/job/job.schema.js';
import type { ClipPage, EventPage } from '../domain/job/pages.js';
import { pageOfClips, takePage } from '../domain/job/pages.js';
import { fitJob } from '../domain/job/payload-size.js';
import { clipPercent, clipForEvent, record } from '../domain/job/progress.js';
import { describeJob } from './current-details.js';
import { VisibilityPublisher } from './publish-visibility.js';

const PAGE_EVENTS = 500;

export class JobLog {
  #job: Job;
  readonly #events: JobEvent[];
  /** Events up to this seq are not here, but in the store. */
  readonly #base: number;
  readonly #visibility = new VisibilityPublisher();
  #isPublishing = false;

  /** `events`: the newest of the log so far, which the previous run has not stored. */
  constructor(job: Job, events: readonly JobEvent[] = []) {
    this.#job = job;
    this.#events = [...events];
    this.#base = job.seq - events.length;
    // A run that continues another shows at once what that one showed.
    if (job.seq > 0) this.#publish();
  }

  get job(): Job {
    return this.#job;
  }

  /** The job as a query answer or result (JOB-LOG-2). */
  snapshot(): Job {
    return fitJob(this.#job);
  }

  /** Replaces the queued job of an unchecked plan; only before the first event. */
  open(job: Job): void {
    if (this.#events.length > 0) throw new Error('expected no events yet');
    this.#job = { ...job, seq: this.#base };
  }

  clip(index: number): Clip | undefined {
    return this.#job.clips.find(({ clip_index }) => clip_index === index);
  }

  record(fact: JobFact, at = new Date().toISOString()): void {
    const { job, event } = record(this.#job, fact, at);
    this.#job = job;
    this.#events.push(event);
    this.#publish();
  }

  /** To Temporal's own views. Once for all facts of one step: a table for each would be a fifth of what replaying a long job costs. */
  #publish(): void {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    void Promise.resolve().then(() => {
      this.#isPublishing = false;
      setCurrentDetails(describeJob(this.#job, workflowInfo().continuedFromExecutionRunId));
      this.#visibility.publish(this.#job);
    });
  }

  /** A fact about one clip: `change` is what changed in it; `shown` plans it on another model first. */
  recordClip(
    type: ClipEventType,
    clipIndex: number,
    change: Partial<Clip>,
    shown: (clip: Clip) => Clip = (clip) => clip,
  ): void {
    const before = this.clip(clipIndex);
    if (before === undefined) throw new Error(`no clip ${String(clipIndex)}`);
    const { waits_for: _, ...known } = before;
    const after = { ...shown(known), ...change };
    const clip = clipForEvent(before, { ...after, percent: clipPercent(after.status) });
    this.record({ type, clip_index: clipIndex, clip });
  }

  warn(
    message: string,
    more: { clip_index?: number; waits_for?: Wait; max_cost_usd?: number } = {},
  ): void {
    this.record({ type: 'job.warning', message, ...more });
  }

  page(after: unknown): EventPage {
    const from =
      typeof after === 'number' && after > this.#base ? Math.floor(after) - this.#base : 0;
    const events = takePage(PAGE_EVENTS, (place) => this.#events[from + place]);
    return { events, last_seq: this.#job.seq };
  }

  clips(from: unknown): ClipPage {
    return pageOfClips(this.#job, typeof from === 'number' && from > 0 ? Math.floor(from) : 0);
  }

  /** The events after a seq. */
  after(seq: number): JobEvent[] {
    return this.#events.slice(Math.max(0, seq - this.#base));
  }
}
