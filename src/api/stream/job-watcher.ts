/**
 * Follows one job for all its listeners. Temporal's history notifies it, the workflow's query `events` has the events; the result is
 * the newest events and one folded job. It survives restarts of workers and Temporal, and follows the job into its next run.
 *
 * WATCH-1 the log grows by `seq` only; an event that is read twice is ignored (EVENT-LOG-1).
 * WATCH-2 `job` is at the seq of the log.
 * WATCH-3 one wait for history at a time, and a pause between two queries, however much happens.
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

/** Milliseconds. */
const BACKOFF = { first: 250, max: 4_000 };
/** Between two queries: readers see events later by no more than this. */
const QUERY_INTERVAL_MS = 40;

export class JobWatcher implements Origin {
  readonly jobId: string;
  readonly log = new EventLog();
  /** Resolves when the log is read, or could not be read. */
  readonly ready: Promise<void>;
  phase: WatchPhase = 'starting';
  job: Job | null = null;
  run: Run | null = null;
  /** The last read failed; `log` and `job` may be behind. */
  stale = false;
  base: number | null = null;
  isStored = false;
  terminalEvents: readonly JobEvent[] = [];

  readonly #deps: WatcherDeps;
  readonly #stop = new AbortController();
  #settle: () => void = () => undefined;
  #jobIsBehind = true;
  /** The workflow's answer, until the log has caught up with it (WATCH-2). */
  #answered: Job | null = null;
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

  /** Queries the workflow now, without waiting for its history; throws when no worker answers. */
  sync(): Promise<void> {
    return this.run === null || this.phase !== 'live' ? Promise.resolve() : this.#catchUp(this.run);
  }

  /** Events after a position that the log no longer holds; null when they are lost. Throws when they cannot be read now. */
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
        await this.#backOff(failures);
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
    // The token first, then the events: what happens in between ends the next wait.
    let token = await jobs.waitForHistory(this.jobId, run.run_id, null, this.#stop.signal);
    while (token !== null) {
      await this.#pace();
      await this.#catchUp(run);
      onAnswer();
      token = await jobs.waitForHistory(this.jobId, run.run_id, token, this.#stop.signal);
    }
    return this.#conclude(run);
  }

  /** The last events of a closed run are in the store; a query would replay the run. */
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
      this.terminalEvents = synthesizedTerminalEvents(this.job, run, closing);
      for (const event of this.terminalEvents) this.#apply(event);
    }
    return 'over';
  }

  /** One read at a time, so that pages never overtake one another. */
  #catchUp(run: Run): Promise<void> {
    const reading = this.#reading.catch(() => undefined).then(() => this.#read(run));
    this.#reading = reading;
    return reading;
  }

  async #read(run: Run): Promise<void> {
    this.#askedAt = Date.now();
    this.#answered = null;
    // The first read: the log begins where the job is; earlier events are read for the reader that needs them.
    if (this.job === null) this.log.skipTo((await this.#ask(run)).seq);
    else await this.#readEvents(run);
    this.job = this.#answered ?? this.job;
    this.#answered = null;
    if (this.job !== null) this.#deps.onJob(this.job);
    this.#change({ phase: 'live', stale: false });
    // How a closed run ended is known in a moment.
    if (run.closed_at === null) this.#settle();
  }

  async #readEvents(run: Run): Promise<void> {
    for (let target = 0; ;) {
      const page = await this.#deps.jobs.events(this.jobId, run.run_id, this.log.head);
      const first = page.events[0]?.seq ?? page.last_seq + 1;
      if (first > this.log.head + 1) this.#skipEarlierRuns(first - 1);
      for (const event of page.events) this.#apply(event);
      target = Math.max(target, page.last_seq);
      if (this.log.head < target) continue;
      if (!this.#jobIsBehind) return;
      target = (await this.#ask(run)).seq; // it may be ahead of the log, which then follows
      if (this.log.head >= target) return;
    }
  }

  /** Events of earlier runs are in the store, not in this run's workflow. */
  #skipEarlierRuns(upTo: number): void {
    this.base = upTo;
    this.log.skipTo(upTo);
    this.#jobIsBehind = true;
  }

  async #ask(run: Run): Promise<Job> {
    const job = await wholeJob(answersOf(this.#deps.jobs, run));
    this.#answered = isBlank(job) ? ((await this.#deps.recorded(run)) ?? job) : job;
    this.#jobIsBehind = false;
    return this.#answered;
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

  #apply(event: JobEvent): void {
    if (!this.log.append(event)) return;
    // The first event of a run follows from the plan as the worker resolved it, which no event repeats. What an event
    // of a newer release has changed, the workflow knows.
    if (event.type === 'job.started' || !isKnownEvent(event)) this.#jobIsBehind = true;
    else this.job = next(this.job, event);
    this.#answered = next(this.#answered, event);
  }

  #change(change: { phase?: WatchPhase; stale?: boolean }): void {
    Object.assign(this, change);
    if (this.phase !== 'live' || this.stale) this.#settle();
    this.#deps.onChange();
  }

  /** WATCH-3 */
  async #pace(): Promise<void> {
    const wait = this.#askedAt + QUERY_INTERVAL_MS - Date.now();
    if (wait > 0) await this.#sleep(wait);
  }

  async #backOff(failures: number): Promise<void> {
    const delay = Math.min(BACKOFF.max, BACKOFF.first * 2 ** failures);
    await this.#sleep(delay * (0.5 + Math.random() / 2)); // many watchers must not return at the same moment
  }

  async #sleep(delay: number): Promise<void> {
    await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

/** A job that missed an event stays as it is until the workflow is queried for it. */
const next = (job: Job | null, event: JobEvent): Job | null =>
  job?.seq === event.seq - 1 ? apply(job, event) : job;
