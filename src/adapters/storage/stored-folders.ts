/** The folders below `jobs/` in the store, one for each finished job: the index is rebuilt from them. */
import type { Job } from '../../domain/job/job.schema.js';
import { folderOf } from './store-keys.js';
import { pagesBelow, readText } from './store.js';
import type { Store } from './store.js';

export interface StoredFolders {
  names(): Promise<string[]>;
  nameOf(jobId: string): string;
  /** `absent` only when there is certainly no record; null for one that cannot be read, or is not the job of this folder. */
  job(name: string): Promise<Job | 'absent' | null>;
}

const FOLDER = 'jobs/';

/** The names of the folders that are directly below a prefix, which ends in `/`. */
export async function foldersIn(store: Store, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { folders } of pagesBelow(store, prefix, { shallow: true })) {
    names.push(...folders.map((folder) => folder.slice(prefix.length, -1)));
  }
  return names;
}

export function createStoredFolders(store: Store): StoredFolders {
  return {
    names: () => foldersIn(store, FOLDER),
    nameOf: folderOf,
    async job(name) {
      try {
        const text = await readText(store, `${FOLDER}${name}/job.json`);
        if (text === null) return 'absent';
        const job = JSON.parse(text) as Partial<Job> | null;
        const isJob = typeof job?.job_id === 'string' && Array.isArray(job.clips);
        // A copy of a job's folder is not a second job.
        return isJob && folderOf(job.job_id as string) === name ? (job as Job) : null;
      } catch {
        return null;
      }
    },
  };
}
