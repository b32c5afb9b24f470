/**
 * Follows one job for everybody who listens to it: Temporal's history as the wake-up, the workflow's query
 * `events` as the truth, the newest events and one folded job as the result. It goes on through restarts of workers
 * and Temporal, and into the next run when the job goes on in one or is retried.
 *
 * W1 the log grows by `seq` alone; whatever is asked twice is ignored once (EventLog L1).
 * W2 the job is shown only at the place where the log is.
 * W3 one wait for news at a time, and a moment between two questions, however much happens.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, JobEvent } from '../../domain/job/job.schema.js';
import { apply, isKnownEvent, isOver } from '../../domain/job/progress.js';
import { wholeJob } from '../../domain/job/whole-job.js';
import type { Archive } from '../jobs/job-archive.js';
import { synthesizedTerminalEvents } from '../jobs/synthesized-end.js';
import { answersOf } from '../jobs/jobs-port.js';
import type { Jobs, Run } from '../jobs/jobs-port.js';
import type { Origin, PastEvents } from './past-events.js';
import { EventLog } from './event-log.js';
import type { FrameBatch } from './event-log.js';
import { isBlank } from '../jobs/recorded-job.js';
import type { ReadRecordedJob } from '../jobs/recorded-job.js';

export type WatchPhase = 'starting' | 'live' | 'over' | 'missing';

export interface WatcherDeps {
  jobs: Jobs;
  archive: Archive;
  past: PastEvents;
  recorded: ReadRecordedJob;
  /** Called after every change of log, job, phase or staleness. */
  onChange: () => void;
  onJob: (job: Job) => void;
  onLost: (error: unknown) => void;
}

const BACKOFF = { first: 250, most: 4_000 };
/** Milliseconds between two questions: readers see events later by no more than this. */
const BETWEEN = 40;

export class JobWatcher implements Origin {
  readonly jobId: string;
  readonly log = new EventLog();
  /** Resolves when the log is known, or it is known that it cannot be for now. */
  readonly ready: Promise<void>;
  phase: WatchPhase = 'starting';
  job: Job | null = null;
  run: Run | null = null;
  /** Nobody answered last time; `log` and `job` may be behind. */
  stale = false;
  base: number | null = null;
  isStored = false;
  endings: readonly JobEvent[] = [];

  readonly #deps: WatcherDeps;
  readonly #stop = new AbortController();
  #settle: () => void = () => undefined;
  #jobIsBehind = true;
  /** The job as asked, until the log is where it is (W2). */
  #coming: Job | null = null;
  #reading: Promise<void> = Promise.resolve();
  #askedAt = -Infinity;

  constructor(jobId: string, deps: WatcherDeps) {
    this.jobId = jobId;
    this.#deps = deps;
    this.ready = new Promise((resolve) => (this.#settle = resolve));
    void this.#watch();
  }

  close(): void {
    this.#stop.abort();
    this.#settle();
  }

  /** Asks the workflow now instead of at its next news; throws when nobody answers. */
  sync(): Promise<void> {
    return this.run === null || this.phase !== 'live' ? Promise.resolve() : this.#catchUp(this.run);
  }

  /** Events after a position that the log no longer holds; null when nobody has them. Throws when nobody answers. */
  past(seq: number, maxBytes: number): Promise<FrameBatch | null> {
    return this.#deps.past.after(this, seq, maxBytes);
  }

  async #watch(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      try {
        const end = await this.#follow(() => (failures = 0));
        if (end !== null) {
          this.#change({ phase: end, stale: false });
          return;
        }
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#deps.onLost(error);
        this.#jobIsBehind = true;
        this.#change({ stale: true });
        failures += 1;
        await this.#pause(failures);
      }
    }
  }

  /** One run to its end: how the watch ends, or null when there is a newer run. */
  async #follow(onAnswer: () => void): Promise<'over' | 'missing' | null> {
    const { jobs } = this.#deps;
    const run = await jobs.find(this.jobId);
    if (run === null) return (await this.#takeStored(null)) ? 'over' : 'missing';
    if (this.run?.run_id !== run.run_id) {
      this.#jobIsBehind = true;
      this.base = null;
    }
    this.run = run;
    if (run.closed_at !== null && (await this.#takeStored(run))) return 'over';
    // The token first, then the events: whatever happens in between wakes the next wait.
    let token = await jobs.waitForHistory(this.jobId, run.run_id, null, this.#stop.signal);
    while (token !== null) {
      await this.#rest();
      await this.#catchUp(run);
      onAnswer();
      token = await jobs.waitForHistory(this.jobId, run.run_id, token, this.#stop.signal);
    }
    return this.#conclude(run);
  }

  /** What a closed run did last is in the store; asking the run itself would have it replayed. */
  async #conclude({ run_id }: Run): Promise<'over' | null> {
    const { jobs } = this.#deps;
    const run = await jobs.find(this.jobId);
    if (run?.run_id !== run_id || run.closed_at === null) return null;
    this.run = run;
    if (await this.#takeStored(run)) return 'over';
    await this.#catchUp(run);
    if (this.job === null) return null;
    if (!isOver(this.job.status)) {
      const closing = await jobs.runEnd(this.jobId, run_id);
      this.endings = synthesizedTerminalEvents(this.job, run, closing);
      for (const event of this.endings) this.#take(event);
    }
    return 'over';
  }

  /** One reader at a time, so that pages never overtake one another. */
  #catchUp(run: Run): Promise<void> {
    const reading = this.#reading.catch(() => undefined).then(() => this.#read(run));
    this.#reading = reading;
    return reading;
  }

  async #read(run: Run): Promise<void> {
    this.#askedAt = Date.now();
    this.#coming = null;
    // Nothing was shown yet: the log begins where the job is, and who wants what was before asks for it.
    if (this.job === null) this.log.skipTo((await this.#ask(run)).seq);
    else await this.#readEvents(run);
    this.job = this.#coming ?? this.job;
    this.#coming = null;
    if (this.job !== null) this.#deps.onJob(this.job);
    this.#change({ phase: 'live', stale: false });
    // Of a closed run more is known in a moment: how it ended.
    if (run.closed_at === null) this.#settle();
  }

  async #readEvents(run: Run): Promise<void> {
    for (let target = 0; ;) {
      const page = await this.#deps.jobs.events(this.jobId, run.run_id, this.log.head);
      const first = page.events[0]?.seq ?? page.last_seq + 1;
      if (first > this.log.head + 1) this.#leaveOut(first - 1);
      for (const event of page.events) this.#take(event);
      target = Math.max(target, page.last_seq);
      if (this.log.head < target) continue;
      if (!this.#jobIsBehind) return;
      target = (await this.#ask(run)).seq; // it may be ahead of the log; then the log follows
      if (this.log.head >= target) return;
    }
  }

  /** Events of earlier runs are in the store, not in this run's workflow. */
  #leaveOut(upTo: number): void {
    this.base = upTo;
    this.log.skipTo(upTo);
    this.#jobIsBehind = true;
  }

  async #ask(run: Run): Promise<Job> {
    const job = await wholeJob(answersOf(this.#deps.jobs, run));
    this.#coming = isBlank(job) ? ((await this.#deps.recorded(run)) ?? job) : job;
    this.#jobIsBehind = false;
    return this.#coming;
  }

  /** False when the stored job is not that of the run. */
  async #takeStored(run: Run | null): Promise<boolean> {
    const job = await this.#deps.archive.job(this.jobId);
    if (job === null || (run !== null && job.run_id !== run.run_id)) return false;
    this.isStored = true;
    this.log.skipTo(job.seq);
    this.job = job;
    this.#deps.onJob(job);
    return true;
  }

  #take(event: JobEvent): void {
    if (!this.log.append(event)) return;
    // The first event of a run follows from the plan as the worker resolved it, which no event repeats. What an event
    // of a newer release has changed, the workflow knows.
    if (event.type === 'job.started' || !isKnownEvent(event)) this.#jobIsBehind = true;
    else this.job = next(this.job, event);
    this.#coming = next(this.#coming, event);
  }

  #change(change: { phase?: WatchPhase; stale?: boolean }): void {
    Object.assign(this, change);
    if (this.phase !== 'live' || this.stale) this.#settle();
    this.#deps.onChange();
  }

  /** W3 */
  async #rest(): Promise<void> {
    const rest = this.#askedAt + BETWEEN - Date.now();
    if (rest > 0) await this.#sleep(rest);
  }

  async #pause(failures: number): Promise<void> {
    const most = Math.min(BACKOFF.most, BACKOFF.first * 2 ** failures);
    await this.#sleep(most * (0.5 + Math.random() / 2)); // many watchers must not come back as one
  }

  async #sleep(delay: number): Promise<void> {
    await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

/** A job that has missed an event stays where it is until it is asked for again. */
const next = (job: Job | null, event: JobEvent): Job | null =>
  job?.seq === event.seq - 1 ? apply(job, event) : job;
