/**
 * A page of jobs, each as a snapshot. Visibility says which jobs there are and may lag; the jobs themselves
 * are as current as one can tell without watching them. A job stands in the list once, as its latest run.
 */
import type { JobStatus } from '../domain/job.js';
import type { Jobs, RunPage } from './jobs-port.js';
import type { Snapshot, Snapshots } from './snapshots.js';

interface Deps {
  jobs: Jobs;
  snapshots: Snapshots;
}

export interface ListQuery {
  status: JobStatus | null;
  limit: number;
  cursor: string | null;
}

export interface JobList {
  jobs: Snapshot[];
  next_cursor: string | null;
}

const AT_ONCE = 8;
/** Pages asked of visibility for one answer, when a filter leaves little of each. */
const MOST_PAGES = 10;

export async function listJobs(deps: Deps, { status, limit, cursor }: ListQuery): Promise<JobList> {
  const jobs: Snapshot[] = [];
  let next = cursor;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await deps.jobs.list(status, limit - jobs.length, next);
    const snapshots = await snapshotsOf(deps, page);
    jobs.push(...snapshots.filter((job) => status === null || job.status === status));
    next = page.next;
    if (next === null || jobs.length >= limit) break;
  }
  return { jobs, next_cursor: next };
}

async function snapshotsOf({ snapshots }: Deps, { runs }: RunPage): Promise<Snapshot[]> {
  const found = new Map<number, Snapshot>();
  const queue = [...runs.entries()];
  // One unanswered question is enough: the rest of the page does not wait for a worker.
  let ask = true;
  const take = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [place, run] = next;
      const job = await snapshots.get(run.job_id, { ask }).catch(() => null);
      if (job?.stale) ask = false;
      if (job?.run_id === run.run_id) found.set(place, job);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return [...found].sort(([a], [b]) => a - b).map(([, job]) => job);
}
