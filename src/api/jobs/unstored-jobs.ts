/**
 * Jobs that ended and are not in the index: terminated or timed out by Temporal, or not stored because the disk failed. Found among
 * the runs that visibility shows as closed: all of them once and then every hour, and in between the new ones.
 *
 * UNSTORED-1 a run that is in the index, or whose job ended later there, is skipped.
 */
import { problem } from '../../domain/job/failures.js';
import { emptyJob } from '../../domain/job/initial-job.js';
import { isOver } from '../../domain/job/progress.js';
import { textOf } from '../../domain/job/job-summary.js';
import type { JobStatus } from '../../domain/job/job.schema.js';
import { TemporalAway } from './jobs-port.js';
import type { Jobs, RunStatus, VisibleRun } from './jobs-port.js';
import type { EndedJob, StoredJobs } from './stored-jobs.js';

const INTERVAL_MS = 5_000;
const FULL_INTERVAL_MS = 3_600_000;
/** Visibility may lag by this much. */
const OVERLAP_MS = 60_000;
const FIRST_PAGE = 100;
const PAGE = 1_000;
const MAX_JOBS = 10_000;

export class UnstoredJobs {
  readonly #jobs: Pick<Jobs, 'listClosed'>;
  readonly #stored: Pick<StoredJobs, 'get'>;
  readonly #onError: (error: unknown) => void;
  #found = new Map<string, EndedJob>();
  #readAt = -Infinity;
  #allAt = -Infinity;
  /** All runs that closed before this time were seen. */
  #seenTo = '';
  #first: Promise<void> | null = null;

  constructor(
    jobs: Pick<Jobs, 'listClosed'>,
    stored: Pick<StoredJobs, 'get'>,
    onError: (error: unknown) => void,
  ) {
    this.#jobs = jobs;
    this.#stored = stored;
    this.#onError = onError;
  }

  /** Resolves with the very first page; everything else comes in the background. */
  async refresh(): Promise<void> {
    const now = Date.now();
    if (now - this.#readAt >= INTERVAL_MS) {
      this.#readAt = now;
      const isAll = now - this.#allAt >= FULL_INTERVAL_MS;
      const pages = this.#pages(isAll ? '' : this.#seenTo, isAll);
      const walk = async (): Promise<void> => {
        for await (const _ of pages) this.#readAt = Date.now();
      };
      const first = pages.next();
      this.#first ??= first.then(
        () => undefined,
        () => undefined,
      );
      void first.then(walk).catch((error: unknown) => {
        if (!(error instanceof TemporalAway)) this.#onError(error); // the list itself answers with it
      });
    }
    await this.#first;
  }

  all(): EndedJob[] {
    return [...this.#found.values()].filter((job) => this.#isNewer(job.job));
  }

  /** A page of closed runs at a time, down to those that had closed before. */
  async *#pages(before: string, isAll: boolean): AsyncGenerator<void> {
    const found = isAll ? new Map<string, EndedJob>() : this.#found;
    const started = new Date(Date.now() - OVERLAP_MS).toISOString();
    let token: Uint8Array | null = null;
    for (let size = FIRST_PAGE; ; size = PAGE) {
      const page = await this.#jobs.listClosed(size, token);
      for (const run of page.runs) this.#take(run, found);
      if (this.#allAt === -Infinity) this.#found = found; // the first time, page by page
      yield;
      token = page.next;
      const last = page.runs.at(-1)?.closed_at ?? '';
      if (token === null || last < before || found.size >= MAX_JOBS) break;
    }
    this.#found = found;
    this.#seenTo = started;
    if (isAll) this.#allAt = Date.now();
  }

  #take(run: VisibleRun, found: Map<string, EndedJob>): void {
    const completed_at = run.closed_at;
    if (completed_at === null) return;
    const { job_id, run_id } = run;
    const known = found.get(job_id);
    if (known !== undefined && known.job.completed_at >= completed_at) return;
    if (!this.#isNewer({ job_id, run_id, completed_at })) return; // UNSTORED-1
    found.set(job_id, endedJob(run, completed_at));
  }

  #isNewer({ job_id, run_id, completed_at }: EndedJob['job'] | Closed): boolean {
    const stored = this.#stored.get(job_id)?.job;
    return stored === undefined || (stored.run_id !== run_id && stored.completed_at < completed_at);
  }
}

interface Closed {
  job_id: string;
  run_id: string;
  completed_at: string;
}

const STATUS: Readonly<Record<RunStatus, JobStatus>> = {
  running: 'running',
  completed: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
  terminated: 'failed',
  timed_out: 'failed',
};

/** What its workflow wrote last, with the end that Temporal reports. */
function endedJob(run: VisibleRun, completed_at: string): EndedJob {
  const { job_id, run_id, started_at } = run;
  const memo = run.memo();
  const identity = { job_id, run_id, created_at: started_at, simulated: false };
  const { warnings: _warnings, clips: _, ...empty } = emptyJob(identity);
  const known = memo?.job ?? empty;
  const status = STATUS[run.status];
  const error = isOver(known.status) || status === 'succeeded' ? known.error : ERRORS[run.status];
  const job = { ...known, job_id, run_id, status, completed_at, error: error ?? null };
  return { job, text: textOf(job, memo?.beginnings ?? []) };
}

const ERRORS: Readonly<Partial<Record<RunStatus, ReturnType<typeof problem>>>> = {
  failed: problem('internal', 'the workflow failed'),
  canceled: problem('canceled', 'the job was canceled'),
  terminated: problem('internal', 'the workflow was terminated'),
  timed_out: problem('internal', 'the workflow ran into its time-out'),
};
