/**
 * The job's log, in workflow memory: the only place where facts get their numbers. Whatever is shown of a
 * job anywhere follows from these events.
 *
 * L1 seq counts from 1 (a retried run: from where the run before it ended), without gaps.
 * L2 Every answer stays below Temporal's limit of 2 MiB a payload, for 1,000 clips too.
 */
import { setCurrentDetails } from '@temporalio/workflow';
import type {
  Clip,
  ClipEventType,
  ClipPage,
  EventPage,
  Job,
  JobEvent,
  JobFact,
} from '../domain/job.js';
import { fitJob, jsonBytes } from '../domain/payload-size.js';
import { clipPercent, record } from '../domain/progress.js';
import { describeJob } from './current-details.js';
import { Visible } from './visible.js';

const PAGE_EVENTS = 500;
const PAGE_BYTES = 1_200_000;

export class JobLog {
  #job: Job;
  readonly #events: JobEvent[] = [];
  readonly #base: number;
  #isToDescribe = false;
  readonly #visible = new Visible();

  constructor(job: Job) {
    this.#job = job;
    this.#base = job.seq;
  }

  get job(): Job {
    return this.#job;
  }

  /** The job as a query answer or result (L2). */
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

  hasPrediction(clipIndex: number, id: string): boolean {
    return this.clip(clipIndex)?.predictions.some((line) => line.id === id) === true;
  }

  record(fact: JobFact, at = new Date().toISOString()): void {
    const { job, event } = record(this.#job, fact, at);
    this.#job = job;
    this.#events.push(event);
    this.#describe();
  }

  /** Once for all facts of one step: a table for each would be a fifth of what replaying a long job costs. */
  #describe(): void {
    if (this.#isToDescribe) return;
    this.#isToDescribe = true;
    void Promise.resolve().then(() => {
      this.#isToDescribe = false;
      setCurrentDetails(describeJob(this.#job));
      this.#visible.show(this.#job);
    });
  }

  /** A fact about one clip: what changed in it, and the whole clip goes into the event. */
  recordClip(type: ClipEventType, clipIndex: number, change: Partial<Clip>): void {
    const before = this.clip(clipIndex);
    if (before === undefined) throw new Error(`no clip ${String(clipIndex)}`);
    const clip = { ...before, ...change };
    this.record({
      type,
      clip_index: clipIndex,
      clip: { ...clip, percent: clipPercent(clip.status) },
    });
  }

  warn(message: string, more: { clip_index?: number; max_cost_usd?: number } = {}): void {
    this.record({ type: 'job.warning', message, ...more });
  }

  clips(from: unknown): ClipPage {
    const first = typeof from === 'number' && from > 0 ? Math.floor(from) : 0;
    const clips = upTo(PAGE_BYTES, Infinity, (place) => this.#job.clips[first + place]);
    const next = first + clips.length;
    return { seq: this.#job.seq, clips, next: next < this.#job.clips.length ? next : null };
  }

  page(after: unknown): EventPage {
    const from =
      typeof after === 'number' && after > this.#base ? Math.floor(after) - this.#base : 0;
    const events = upTo(PAGE_BYTES, PAGE_EVENTS, (place) => this.#events[from + place]);
    return { events, last_seq: this.#job.seq };
  }
}

/** As many of a list as fit, at least one. */
function upTo<T>(bytes: number, most: number, item: (place: number) => T | undefined): T[] {
  const taken: T[] = [];
  for (let size = 0; taken.length < most;) {
    const one = item(taken.length);
    if (one === undefined) break;
    size += jsonBytes(one);
    if (size > bytes && taken.length > 0) break;
    taken.push(one);
  }
  return taken;
}
