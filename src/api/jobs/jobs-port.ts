/**
 * What the API needs from Temporal, as a port that tests replace: jobs and runs as plain values, and three errors. No type of
 * Temporal's client is part of it.
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

/** What is too large for Temporal's history could not be written to the store, or read from it. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}

/** Temporal answers, but no worker does for this job. */
export class WorkerAway extends Error {
  override readonly name: string = 'WorkerAway';
}

/** The run was closed before its workflow did anything: no query of it is ever answered. */
export class RunNeverBegan extends WorkerAway {
  override readonly name = 'RunNeverBegan';
}

export type RunStatus =
  'running' | 'completed' | 'failed' | 'canceled' | 'terminated' | 'timed_out';

/** One run of a job as Temporal knows it, without a worker. */
export interface Run {
  job_id: string;
  run_id: string;
  status: RunStatus;
  started_at: string;
  closed_at: string | null;
  /** Its cancellation was requested. */
  is_canceling: boolean;
  /** The release whose workers alone take its tasks, as `deployment:build`; null: those that take new jobs. */
  pinned_to?: string | null;
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
  /** Null when the failure is not one of the product's: a worker that disappeared, for example. */
  last_error_kind?: FailureKind | null;
  /** Number of executions that were started. */
  executions?: number;
  heartbeat: Heartbeat | null;
  /** Why its download waits, in a sentence. */
  waits_for?: string | null;
}

/** What the run was started with: its plan, and the job that it continues. */
export interface RecordedInput {
  plan: unknown;
  /** Of a retry: a job that is over. */
  previous: Job | null;
  /** Of a run that continues one whose history became too long: a job that is under way. */
  carried: Job | null;
}

/** How a run ended, from its last history event. */
export interface RunEnd {
  job: Job | null;
  error: Problem | null;
}

export interface StartRequest {
  job_id: string;
  plan: unknown;
  summary: string;
  details: string;
  /** The job as lists show it until its workflow has started. */
  memo: Memo;
  /** A new run continues this job; absent: the id must never have been used. */
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

/** Position in the history of one run; opaque. */
export type HistoryToken = Uint8Array;

/** A run as visibility shows it; it may lag. A job that was retried has one for each run. */
export interface VisibleRun {
  job_id: string;
  run_id: string;
  status: RunStatus;
  /** To the nanosecond; with the run's id its position among the running ones. */
  started_at: string;
  closed_at: string | null;
  /** As its workflow wrote it last; null where it has written none. */
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
  /** Visibility filters by it as far as it can; the answer has to be filtered again. */
  filter: JobFilter;
}

export interface ClosedPage {
  runs: VisibleRun[];
  next: Uint8Array | null;
}

/** The cursor is not from an answer of the list. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor';
}

export interface Workers {
  /** Processes seen polling the job's task queue within the last minute, of those that take new jobs. */
  workers: number;
}

export interface Jobs {
  /** The run that was started; null when the id is taken. */
  start(request: StartRequest): Promise<{ run_id: string } | null>;
  /** The latest run. */
  find(jobId: string): Promise<Run | null>;
  input(jobId: string, runId: string): Promise<RecordedInput | null>;
  runEnd(jobId: string, runId: string): Promise<RunEnd | null>;
  /** Of a large job a part: `wholeJob` completes it. */
  progress(jobId: string, runId: string): Promise<Job>;
  clips(jobId: string, runId: string, from: number): Promise<ClipPage>;
  events(jobId: string, runId: string, after: number): Promise<EventPage>;
  /**
   * Without a token, returns at once. With one, when the workflow has completed a task after that position, or nothing happened
   * for a while. Null: the run is closed.
   */
  waitForHistory(
    jobId: string,
    runId: string,
    token: HistoryToken | null,
    signal: AbortSignal,
  ): Promise<HistoryToken | null>;
  signal(jobId: string, signal: Signal): Promise<Delivered>;
  cancel(jobId: string): Promise<Delivered>;
  /** Running ones, the latest started first. */
  listRunning(query: RunningQuery): Promise<VisibleRun[]>;
  /** Those of these jobs that run. */
  runningAmong(jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Runs that are over, the latest ended first. */
  listClosed(limit: number, token: Uint8Array | null): Promise<ClosedPage>;
  /** How many jobs run now, as visibility counts them. */
  running(): Promise<number>;
  workers(): Promise<Workers>;
  /** Processes seen polling for clips to render, of jobs that are pinned to this release, within the last minute. */
  renderWorkers(pinnedTo: string | null): Promise<number>;
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
