/** Where each thing is in the store. Keys come from `job_id`, `clip_index` and the provider's ids, encoded, and from nothing else. */
import { clipFileName } from '../../domain/job/clip-files.js';
import type { ClipFile } from '../../domain/job/clip-files.js';

/** Everything below these belongs to the store. A DATA_DIR has files of its own processes as well. */
export const STORE_FOLDERS = [
  'artifacts',
  'claims',
  'creates',
  'index',
  'jobs',
  'payloads',
  'wakes',
] as const;
export const STORE_FILES = ['identity', 'cursor.key'] as const;

const JOB_ID = /^[A-Za-z0-9_-]+$/;

/** Job ids of the contract are safe names; a workflow started elsewhere may have any id. */
export const folderOf = (jobId: string): string =>
  JOB_ID.test(jobId) ? jobId : `~${encodeURIComponent(jobId).replaceAll('.', '%2E')}`;

/** The other way. A folder that no job has made is its own name. */
export function jobIdOf(folder: string): string {
  try {
    return folder.startsWith('~') ? decodeURIComponent(folder.slice(1)) : folder;
  } catch {
    return folder;
  }
}

/** The folder of all files of a job's clips. */
export const artifactFolder = (jobId: string): string => `artifacts/${folderOf(jobId)}`;

export const artifactKey = (jobId: string, clipIndex: number, file: ClipFile): string =>
  `${artifactFolder(jobId)}/${clipFileName(clipIndex, file)}`;

export const jobKey = (jobId: string, file: 'job.json' | 'events.jsonl' | 'plan.json'): string =>
  `jobs/${folderOf(jobId)}/${file}`;

const SEGMENT = /^[A-Za-z0-9!$&'()*+,;=:@~%._-]{1,255}$/;
const MAX_KEY = 1_024;

/** False for what could leave the folder, or is a name on one kind of store only, as a job id of 1,000 characters is. */
export const isKey = (key: string): boolean =>
  key.length <= MAX_KEY &&
  key.split('/').every((segment) => SEGMENT.test(segment) && !/^\.\.?$/.test(segment));

export function checkedKey(key: string): string {
  if (!isKey(key)) throw new Error(`expected the key of an object, got ${JSON.stringify(key)}`);
  return key;
}
