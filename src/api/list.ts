/**
 * A page of jobs, each as a snapshot: first those Temporal knows, then those it has forgotten and only the disk
 * remembers. Visibility says which jobs there are and may lag; the jobs themselves are as current as one can tell
 * without watching them.
 *
 * L1 a job stands in the list once, as its latest run.
 * L2 a cursor is a place in an order, not a number of jobs: what comes or goes meanwhile shifts nothing.
 * L3 a cursor is opened before anything of it is read, and is one that was closed here.
 */
import type { Job, JobStatus } from '../domain/job.js';
import type { Archive } from './archive.js';
import { decodeStoredCursor, encodeStoredCursor } from './cursor.js';
import type { CursorSeal } from './cursor-seal.js';
import type { StoredPlace } from './cursor.js';
import { inParallel } from './in-parallel.js';
import type { Jobs, RunPage } from './jobs-port.js';
import type { Snapshot, Snapshots } from './snapshots.js';
import { newestFirst } from './stored-jobs.js';
import type { StoredJob, StoredJobs } from './stored-jobs.js';

interface Deps {
  jobs: Jobs;
  snapshots: Snapshots;
  archive: Archive;
  stored: StoredJobs;
  seal: CursorSeal;
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

/** Pages asked of visibility for one answer, when a filter leaves little of each. */
const MOST_PAGES = 10;
/** Stored jobs of which Temporal is asked at once whether it knows them. */
const CHUNK = 50;

/** Rejects with BadCursor for a cursor that is not one of this list and filter. */
export async function listJobs(deps: Deps, query: ListQuery): Promise<JobList> {
  const cursor = query.cursor === null ? null : await deps.seal.open(query.cursor); // L3
  const { jobs, next_cursor } = await pageOf(deps, { ...query, cursor });
  return { jobs, next_cursor: next_cursor === null ? null : await deps.seal.close(next_cursor) };
}

async function pageOf(deps: Deps, query: ListQuery): Promise<JobList> {
  const { status, limit, cursor } = query;
  const place = cursor === null ? null : decodeStoredCursor(status, cursor);
  const known = place === null ? await listKnown(deps, query) : { jobs: [], next_cursor: null };
  if (known.next_cursor !== null) return known;
  const room = limit - known.jobs.length;
  const forgotten = await listForgotten(deps, { status, room, place: place ?? 'start' });
  return { jobs: [...known.jobs, ...forgotten.jobs], next_cursor: forgotten.next_cursor };
}

async function listKnown(deps: Deps, { status, limit, cursor }: ListQuery): Promise<JobList> {
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
  // One unanswered question is enough: the rest of the page does not wait for a worker.
  let ask = true;
  await inParallel([...runs.entries()], async ([place, run]) => {
    const job = await snapshots.get(run.job_id, { ask }).catch(() => null);
    if (job?.stale) ask = false;
    if (job?.run_id === run.run_id) found.set(place, job); // L1
  });
  return [...found].sort(([a], [b]) => a - b).map(([, job]) => job);
}

interface StoredQuery {
  status: JobStatus | null;
  /** 0: only whether there are any. */
  room: number;
  place: StoredPlace;
}

async function listForgotten(deps: Deps, { status, room, place }: StoredQuery): Promise<JobList> {
  const candidates = (await deps.stored.all()).filter(
    (job) =>
      (status === null || job.status === status) &&
      (place === 'start' || newestFirst(place, job) < 0), // L2
  );
  const found: StoredJob[] = [];
  let looked = 0;
  for (let chunks = 0; chunks < MOST_PAGES && found.length <= room; chunks += 1) {
    const chunk = candidates.slice(looked, looked + CHUNK);
    if (chunk.length === 0) break;
    found.push(...(await forgottenOf(deps, chunk)));
    looked += chunk.length;
  }
  const shown = found.slice(0, room);
  const last = found.length > room ? (shown.at(-1) ?? place) : candidates[looked - 1];
  const isEnd = found.length <= room && looked === candidates.length;
  const jobs = await Promise.all(shown.map(({ job_id }) => deps.archive.job(job_id)));
  return {
    jobs: jobs.filter((job): job is Job => job !== null),
    next_cursor: isEnd || last === undefined ? null : encodeStoredCursor(status, last),
  };
}

/** Visibility rules out most at once; the rest is asked one by one, for it may lag. */
async function forgottenOf({ jobs }: Deps, chunk: readonly StoredJob[]): Promise<StoredJob[]> {
  const visible = await jobs.visible(chunk.map(({ job_id }) => job_id));
  const forgotten = new Set<string>();
  await inParallel(
    chunk.filter(({ job_id }) => !visible.has(job_id)),
    async ({ job_id }) => {
      if ((await jobs.find(job_id)) === null) forgotten.add(job_id);
    },
  );
  return chunk.filter(({ job_id }) => forgotten.has(job_id));
}
