/** The folders below DATA_DIR/jobs, one for each finished job: the index is rebuilt from them. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '../../domain/job/job.schema.js';
import { jobPath } from './artifact-store.js';

export interface StoredFolders {
  names(): Promise<string[]>;
  nameOf(jobId: string): string;
  /** `absent` only when there is certainly no file; null for a file that cannot be read, or is not the job of this folder. */
  job(name: string): Promise<Job | 'absent' | null>;
}

export function createStoredFolders(dataDir: string): StoredFolders {
  const folder = path.join(dataDir, 'jobs');
  const nameOf = (jobId: string): string =>
    path.basename(path.dirname(jobPath(dataDir, jobId, 'job.json')));
  return {
    names: () => readdir(folder).catch(() => []),
    nameOf,
    async job(name) {
      try {
        const text = await readFile(path.join(folder, name, 'job.json'), 'utf8');
        const job = JSON.parse(text) as Partial<Job> | null;
        const isJob = typeof job?.job_id === 'string' && Array.isArray(job.clips);
        // A copy of a job's folder is not a second job.
        return isJob && nameOf(job.job_id as string) === name ? (job as Job) : null;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : null;
      }
    },
  };
}
