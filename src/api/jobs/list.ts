/**
 * A page of jobs, each as a summary: first those that run, the latest started first, then those that ended, the latest ended
 * first. No job is queried: a running one has its summary in visibility (its memo), an ended one in the index. A page costs one
 * page of visibility, another to find which of the ended ones run again, and the new files of the index.
 *
 * JOB-LIST-1 a job is in the list once, as its latest run.
 * JOB-LIST-2 a cursor is a position in an order, not a number of jobs: jobs that start or end meanwhile shift nothing.
 * JOB-LIST-3 a cursor's signature is checked before its content is used.
 * JOB-LIST-4 running jobs are read first: a job that ends in between is in the index by then.
 */
import { emptyJob } from '../../domain/job/initial-job.js';
import { matching, textOf } from '../../domain/job/job-summary.js';
import type { JobFilter } from '../../domain/job/job-summary.js';
import type { JobSummary } from '../../domain/job/job.schema.js';
import type { JobPage } from '../schemas.js';
import { isOver } from '../../domain/job/progress.js';
import { memoOf } from '../../domain/job/visibility.js';
import type { Memo } from '../../domain/job/visibility.js';
import { START } from './list-cursor.js';
import type { CursorCodec, ListPosition } from './list-cursor.js';
import type { EndedJobs } from './ended-jobs.js';
import type { Jobs, RunPosition, VisibleRun } from './jobs-port.js';
import type { LastKnown } from './last-known.js';
import { latestEndFirst } from './stored-jobs.js';
import type { EndedPosition } from './stored-jobs.js';

interface Deps {
  jobs: Jobs;
  ended: EndedJobs;
  lastKnown: LastKnown;
  cursors: CursorCodec;
}

export interface ListRequest {
  filter: JobFilter;
  limit: number;
  cursor: string | null;
}

interface Page {
  jobs: JobSummary[];
  /** Null: there are no more. */
  next: ListPosition | null;
}

/** Runs read for one page where visibility filters by less than the filter. */
const MAX_RUNS = 1_000;

/** Rejects with BadCursor for a cursor that is not of this list and filter. */
export async function listJobs(deps: Deps, query: ListRequest): Promise<JobPage> {
  const { filter, limit, cursor } = query;
  const position = cursor === null ? START : await deps.cursors.decode(filter, cursor); // JOB-LIST-3
  const { jobs, next } = await pageOf(deps, filter, limit, position);
  return { jobs, next_cursor: next && (await deps.cursors.encode(filter, next)) };
}

async function pageOf(
  deps: Deps,
  filter: JobFilter,
  limit: number,
  position: ListPosition,
): Promise<Page> {
  const { status } = filter;
  const wants = {
    running: position.among === 'running' && (status === null || !isOver(status)),
    ended: status === null || isOver(status),
  };
  const running = wants.running
    ? await pageOfRunning(deps, { filter, limit, after: afterRun(position) })
    : { jobs: [], next: null, all: null };
  if (running.next !== null || !wants.ended) return running;
  const rest = await pageOfEnded(deps, {
    filter,
    room: limit - running.jobs.length,
    after: position.among === 'ended' ? position.after : null,
    running: running.all,
  });
  return { jobs: [...running.jobs, ...rest.jobs], next: rest.next };
}

const afterRun = (position: ListPosition): RunPosition | null =>
  position.among === 'running' ? position.after : null;

interface RunningPage {
  filter: JobFilter;
  limit: number;
  after: RunPosition | null;
}

async function pageOfRunning(
  deps: Deps,
  { filter, limit, after }: RunningPage,
): Promise<Page & { all: ReadonlySet<string> | null }> {
  const isFiltered = Object.values(filter).some((value) => value !== null);
  const most = isFiltered ? MAX_RUNS : limit + 1;
  const found = await deps.jobs.listRunning({ limit: most, after, filter });
  const runs = found.filter((run) => after === null || latestStartFirst(after, run) < 0); // JOB-LIST-2
  const matches = matching(filter);
  const shown: { run: VisibleRun; job: JobSummary }[] = [];
  for (const run of runs.sort(latestStartFirst)) {
    const { job, beginnings } = memoOfRun(deps, run);
    if (matches(job, textOf(job, beginnings))) shown.push({ run, job });
  }
  const isWhole = found.length < most;
  const last = shown.length > limit ? shown[limit - 1]?.run : isWhole ? undefined : runs.at(-1);
  return {
    jobs: shown.slice(0, limit).map(({ job }) => job),
    next: last === undefined ? null : { among: 'running', after: runPosition(last) },
    all: isWhole && !isFiltered && after === null ? new Set(runs.map((run) => run.job_id)) : null,
  };
}

const runPosition = ({ started_at, run_id }: VisibleRun): RunPosition => ({ started_at, run_id });

const latestStartFirst = (a: RunPosition, b: RunPosition): number =>
  Number(a.started_at < b.started_at) - Number(a.started_at > b.started_at) ||
  Number(a.run_id > b.run_id) - Number(a.run_id < b.run_id);

/** The later of what its workflow wrote to visibility and what this process has seen; an empty job where no worker has taken it yet. */
function memoOfRun({ lastKnown }: Deps, run: VisibleRun): Memo {
  const { job_id, run_id, started_at } = run;
  const memo = run.memo();
  const known = lastKnown.get(job_id);
  if (known?.run_id === run_id && !isOver(known.status) && known.seq > (memo?.job.seq ?? -1)) {
    return memoOf(known);
  }
  const identity = { job_id, run_id, created_at: started_at, simulated: false };
  const { job, beginnings } = memo ?? memoOf(emptyJob(identity));
  return { job: { ...job, job_id, run_id }, beginnings };
}

interface EndedPage {
  filter: JobFilter;
  /** 0: only to find whether there are any. */
  room: number;
  after: EndedPosition | null;
  /** The ids of all running jobs, where they are known already. */
  running: ReadonlySet<string> | null;
}

async function pageOfEnded(
  { jobs, ended }: Deps,
  { filter, room, after, running }: EndedPage,
): Promise<Page> {
  await ended.refresh(); // JOB-LIST-4
  const matches = matching(filter);
  const all = ended.all();
  const found: (JobSummary & EndedPosition)[] = [];
  let at = after === null ? 0 : firstAfter(all, after);
  while (at < all.length && found.length <= room) {
    const chunk: (JobSummary & EndedPosition)[] = [];
    for (; at < all.length && found.length + chunk.length <= room; at += 1) {
      const one = all[at];
      if (one !== undefined && matches(one.job, one.text)) chunk.push(one.job);
    }
    const ids = chunk.map(({ job_id }) => job_id);
    const again = running ?? (ids.length === 0 ? new Set() : await jobs.runningAmong(ids));
    found.push(...chunk.filter(({ job_id }) => !again.has(job_id))); // JOB-LIST-1
  }
  const shown = found.slice(0, room);
  const last = shown.at(-1);
  const position = last === undefined ? after : endedPosition(last);
  return { jobs: shown, next: found.length > room ? { among: 'ended', after: position } : null };
}

const endedPosition = ({ completed_at, job_id }: EndedPosition): EndedPosition => ({
  completed_at,
  job_id,
});

/** The index of the first job after a position, by binary search. */
function firstAfter(all: readonly { job: EndedPosition }[], position: EndedPosition): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = all[middle];
    if (one !== undefined && latestEndFirst({ job: position }, one) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
