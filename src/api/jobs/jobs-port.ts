/**
 * What the API needs to know and do about jobs, as a port; tests replace it. It speaks of jobs
 * and runs, plain values and two errors; nothing of Temporal's client shows through.
 */
import type { Heartbeat } from '../../contract/activities.js';
import type { FailureKind } from '../../domain/job/failures.js';
import type { Problem, Job } from '../../domain/job/job.schema.js';
import type { ClipPage, EventPage } from '../../domain/job/pages.js';
import type { JobFilter } from '../../domain/job/job-summary.js';
import type { Memo } from '../../domain/job/visibility.js';
import type { Answers } from '../../domain/job/whole-job.js';

/** Temporal cannot be reached, or is too busy to answer. */
export class TemporalAway extends Error {
  override readonly name = 'TemporalAway';
}

/** What is too large for Temporal's history could not be written to DATA_DIR, or read from it. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}

/** Temporal is there, but no worker answers for this job. */
export class WorkerAway extends Error {
  override readonly name = 'WorkerAway';
}

export type RunStatus =
  'running' | 'completed' | 'failed' | 'canceled' | 'terminated' | 'timed_out';

/** One run of a job as Temporal itself knows it, with no worker's help. */
export interface Run {
  job_id: string;
  run_id: string;
  status: RunStatus;
  started_at: string;
  closed_at: string | null;
  /** Its cancellation was asked for. */
  is_canceling: boolean;
  pending: PendingActivity[];
}

/** An activity that is not over, between or during its executions. */
export interface PendingActivity {
  activity_id: string;
  /** Waiting for a worker, or executing. */
  state: 'scheduled' | 'started';
  /** When the next execution starts, while it waits out a backoff. */
  next_attempt_at: string | null;
  last_started_at: string | null;
  last_error: string | null;
  /** Null when it is none of the product's own: a worker that went away, say. */
  last_error_kind?: FailureKind | null;
  /** Executions that were started. */
  executions?: number;
  heartbeat: Heartbeat | null;
  /** Why it downloads nothing at the moment, in a sentence. */
  waits_for?: string | null;
}

/** What the run was started with: its plan, and the job that it goes on from. */
export interface RecordedInput {
  plan: unknown;
  /** Of a retry: over. */
  previous: Job | null;
  /** Of a run that took over from one whose history was long enough: in the middle of everything. */
  carried: Job | null;
}

/** How a run closed, from its last history event. */
export interface Closing {
  job: Job | null;
  error: Problem | null;
}

export interface StartRequest {
  job_id: string;
  plan: unknown;
  summary: string;
  details: string;
  /** The job as lists show it until its workflow has begun. */
  memo: Memo;
  /** Go on from this job in a new run; absent: the id must never have been used. */
  previous?: Job;
}

export type Signal =
  | { name: 'pause' }
  | { name: 'resume' }
  | { name: 'cancelClip'; clip_index: number }
  | { name: 'retryClip'; clip_index: number; completed_at: string | null }
  | { name: 'setMaxCost'; max_cost_usd: number };

/** `over`: the job is finished and takes no signals; `missing`: there is none. */
export type Delivered = 'delivered' | 'over' | 'missing';

/** Where a wait for news goes on; opaque, bound to one run. */
export type NewsToken = Uint8Array;

/** A run as visibility shows it; it may lag. A job that was retried has one for each run. */
export interface VisibleRun {
  job_id: string;
  run_id: string;
  status: RunStatus;
  /** To the nanosecond: with the run's id its place among those that run. */
  started_at: string;
  closed_at: string | null;
  /** What its workflow has last told; null where nothing has. */
  memo(): Memo | null;
}

/** After this run, among those that run. */
export interface RunPosition {
  started_at: string;
  run_id: string;
}

export interface RunningQuery {
  limit: number;
  after: RunPosition | null;
  /** What visibility can leave out for it; what it answers with is to be filtered once more. */
  filter: JobFilter;
}

export interface ClosedPage {
  runs: VisibleRun[];
  next: Uint8Array | null;
}

/** The cursor is not one that a list answered with. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor';
}

export interface Workers {
  /** Processes seen polling the job's task queue within the last minute. */
  workers: number;
}

export interface Jobs {
  /** The run that was started; null when the id is taken. */
  start(request: StartRequest): Promise<{ run_id: string } | null>;
  /** The latest run. */
  find(jobId: string): Promise<Run | null>;
  input(jobId: string, runId: string): Promise<RecordedInput | null>;
  closing(jobId: string, runId: string): Promise<Closing | null>;
  /** Of a large job not all: `wholeJob` puts it together. */
  progress(jobId: string, runId: string): Promise<Job>;
  clips(jobId: string, runId: string, from: number): Promise<ClipPage>;
  events(jobId: string, runId: string, after: number): Promise<EventPage>;
  /** Returns at once without a token, else when the workflow took a step, or nothing happened for a while; a null token: closed. */
  news(
    jobId: string,
    runId: string,
    token: NewsToken | null,
    signal: AbortSignal,
  ): Promise<NewsToken | null>;
  signal(jobId: string, signal: Signal): Promise<Delivered>;
  cancel(jobId: string): Promise<Delivered>;
  /** Runs that go on, those that began last first. */
  listRunning(query: RunningQuery): Promise<VisibleRun[]>;
  /** Those of these jobs that go on. */
  runningAmong(jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Runs that are over, those that ended last first. */
  listClosed(limit: number, token: Uint8Array | null): Promise<ClosedPage>;
  /** How many jobs run now, as visibility counts them. */
  running(): Promise<number>;
  workers(): Promise<Workers>;
  /** Processes seen polling for clips to render within the last minute. */
  renderers(): Promise<number>;
}

/** The queries of one run. */
export const answersOf = (
  jobs: Pick<Jobs, 'progress' | 'clips' | 'events'>,
  { job_id, run_id }: Pick<Run, 'job_id' | 'run_id'>,
): Answers => ({
  progress: () => jobs.progress(job_id, run_id),
  clips: (from) => jobs.clips(job_id, run_id, from),
  events: (after) => jobs.events(job_id, run_id, after),
});
