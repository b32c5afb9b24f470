/**
 * All jobs that ended, as they lie below DATA_DIR/jobs: an index of small things in memory, brought up to date by
 * what has changed on disk. A folder that cannot be read, or is not ours, is no job.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { jobPath } from '../adapters/artifact-store.js';
import type { Job, JobStatus } from '../domain/job.js';
import { isOver } from '../domain/progress.js';
import { inParallel } from './in-parallel.js';
import { finishedFigures } from './job-figures.js';
import type { Figures } from './job-figures.js';

export interface StoredJob {
  job_id: string;
  status: JobStatus;
  created_at: string;
  counts: Figures;
  totals: Figures;
}

export interface StoredJobs {
  /** Newest first; at most so many milliseconds old. */
  all(mostAge?: number): Promise<readonly StoredJob[]>;
}

interface Entry {
  /** Of the file as it was read. */
  version: string;
  /** Null: not a job. */
  job: StoredJob | null;
}

const MOST_AGE = 5_000;

export function createStoredJobs(dataDir: string): StoredJobs {
  const folder = path.join(dataDir, 'jobs');
  let entries = new Map<string, Entry>();
  let sorted: readonly StoredJob[] = [];
  let at = -Infinity;
  let looking: Promise<void> | null = null;

  /** A copy of a job's folder is not a second job. */
  const isPlaceOf = ({ job_id }: StoredJob, file: string): boolean =>
    path.join(jobPath(dataDir, job_id, 'job.json')) === file;

  const look = async (): Promise<void> => {
    const started = Date.now();
    const found = new Map<string, Entry>();
    const names = await readdir(folder).catch(() => []);
    await inParallel(names, async (name) => {
      const file = path.join(folder, name, 'job.json');
      const entry = await read(file, entries.get(name), (job) => isPlaceOf(job, file));
      if (entry !== null) found.set(name, entry);
    });
    entries = found;
    sorted = [...found.values()].flatMap(({ job }) => job ?? []).sort(newestFirst);
    at = started;
  };

  return {
    async all(mostAge = MOST_AGE) {
      if (Date.now() - at > mostAge) {
        looking ??= look().finally(() => (looking = null));
        await looking;
      }
      return sorted;
    },
  };
}

/** The place of a job in the list; by id where the times are the same. */
export const newestFirst = (
  a: Pick<StoredJob, 'created_at' | 'job_id'>,
  b: Pick<StoredJob, 'created_at' | 'job_id'>,
): number =>
  Number(a.created_at < b.created_at) - Number(a.created_at > b.created_at) ||
  Number(a.job_id < b.job_id) - Number(a.job_id > b.job_id);

async function read(
  file: string,
  known: Entry | undefined,
  isOurs: (job: StoredJob) => boolean,
): Promise<Entry | null> {
  try {
    const { ino, mtimeMs, size } = await stat(file);
    const version = [ino, mtimeMs, size].join();
    if (known?.version === version) return known;
    const job = summary(await readFile(file, 'utf8'));
    return { version, job: job !== null && isOurs(job) ? job : null };
  } catch {
    return null;
  }
}

function summary(text: string): StoredJob | null {
  try {
    const job = JSON.parse(text) as Job;
    const { job_id, status, created_at } = job;
    if (typeof job_id !== 'string' || typeof created_at !== 'string') return null;
    return isOver(status) ? { job_id, status, created_at, ...finishedFigures(job) } : null;
  } catch {
    return null;
  }
}
