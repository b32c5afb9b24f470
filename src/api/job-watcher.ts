/**
 * Follows one job for everybody who listens to it: Temporal's history as the wake-up, the workflow's query
 * `events` as the truth, one log and one folded job as the result. It goes on through restarts of workers
 * and Temporal, and into the next run when the job is retried.
 *
 * W1 the log grows by `seq` alone; whatever is asked twice is ignored once (ProgressLog L1).
 * W2 the job is never older than the log.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, JobEvent } from '../domain/job.js';
import { apply, isOver } from '../domain/progress.js';
import type { Archive } from './archive.js';
import { eventsOfClosing } from './closing.js';
import type { Jobs, Run } from './jobs-port.js';
import { ProgressLog } from './progress-log.js';
import { isBlank } from './recorded-job.js';
import type { ReadRecordedJob } from './recorded-job.js';

export type WatchPhase = 'starting' | 'live' | 'over' | 'missing';

export interface WatcherDeps {
  jobs: Jobs;
  archive: Archive;
  recorded: ReadRecordedJob;
  /** Called after every change of log, job, phase or staleness. */
  onNews: () => void;
  onJob: (job: Job) => void;
  onLost: (error: unknown) => void;
}

const BACKOFF = { first: 250, most: 4_000 };

export class JobWatcher {
  readonly jobId: string;
  readonly log = new ProgressLog();
  /** Resolves when the log is known, or it is known that it cannot be for now. */
  readonly ready: Promise<void>;
  phase: WatchPhase = 'starting';
  job: Job | null = null;
  run: Run | null = null;
  /** Nobody answered last time; `log` and `job` may be behind. */
  stale = false;

  readonly #deps: WatcherDeps;
  readonly #stop = new AbortController();
  #settle: () => void = () => undefined;
  #jobIsBehind = true;
  #reading: Promise<void> = Promise.resolve();

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
    if (run === null) return (await this.#replayArchive(null)) ? 'over' : 'missing';
    if (this.run !== null && this.run.run_id !== run.run_id) this.#jobIsBehind = true;
    this.run = run;
    if (run.closed_at !== null && (await this.#replayArchive(run))) return 'over';
    // The token first, then the events: whatever happens in between wakes the next wait.
    let token = await jobs.news(this.jobId, run.run_id, null, this.#stop.signal);
    await this.#catchUp(run);
    onAnswer();
    while (token !== null) {
      token = await jobs.news(this.jobId, run.run_id, token, this.#stop.signal);
      await this.#catchUp(run);
    }
    return this.#conclude(run);
  }

  async #conclude({ run_id }: Run): Promise<'over' | null> {
    const { jobs } = this.#deps;
    const run = await jobs.find(this.jobId);
    if (run?.run_id !== run_id) return null;
    this.run = run;
    if (this.job === null || run.closed_at === null) return null;
    if (!isOver(this.job.status)) {
      const closing = await jobs.closing(this.jobId, run_id);
      for (const event of eventsOfClosing(this.job, run, closing)) this.#take(event);
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
    const { jobs } = this.#deps;
    for (let target = 0; ;) {
      const page = await jobs.events(this.jobId, run.run_id, this.log.head);
      const first = page.events[0]?.seq ?? page.last_seq + 1;
      if (first > this.log.head + 1) await this.#fillGap(first - 1);
      for (const event of page.events) this.#take(event);
      target = Math.max(target, page.last_seq);
      if (this.log.head < target) continue;
      if (!this.#jobIsBehind) break;
      // W2: asked after the log, so it may only be ahead of it; then the log follows.
      const job = await jobs.progress(this.jobId, run.run_id);
      this.job = isBlank(job) ? ((await this.#deps.recorded(run)) ?? job) : job;
      this.#jobIsBehind = false;
      target = this.job.seq;
      if (this.log.head >= target) break;
    }
    if (this.job !== null) this.#deps.onJob(this.job);
    this.#change({ phase: 'live', stale: false });
    // Of a closed run more is known in a moment: how it ended.
    if (run.closed_at === null) this.#settle();
  }

  /** Events of earlier runs are stored, not in this run's workflow. */
  async #fillGap(upTo: number): Promise<void> {
    for (const event of await this.#deps.archive.events(this.jobId)) {
      if (event.seq <= upTo && event.seq <= this.log.head + 1) this.#take(event);
    }
    this.log.skipTo(upTo);
  }

  /** False when the stored job is not that of the run. */
  async #replayArchive(run: Run | null): Promise<boolean> {
    const job = await this.#deps.archive.job(this.jobId);
    if (job === null || (run !== null && job.run_id !== run.run_id)) return false;
    for (const event of await this.#deps.archive.events(this.jobId)) {
      if (event.seq <= this.log.head + 1) this.#take(event);
    }
    this.log.skipTo(job.seq);
    this.job = job;
    return true;
  }

  #take(event: JobEvent): void {
    if (!this.log.append(event)) return;
    if (this.job !== null) this.job = apply(this.job, event);
    // The first event of a run follows from the plan as the worker resolved it, which no event repeats.
    if (event.type === 'job.started') this.#jobIsBehind = true;
  }

  #change(change: { phase?: WatchPhase; stale?: boolean }): void {
    Object.assign(this, change);
    if (this.phase !== 'live' || this.stale) this.#settle();
    this.#deps.onNews();
  }

  async #pause(failures: number): Promise<void> {
    const most = Math.min(BACKOFF.most, BACKOFF.first * 2 ** failures);
    const delay = most * (0.5 + Math.random() / 2); // many watchers must not come back as one
    await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
