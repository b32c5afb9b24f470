/**
 * Files of finished clips below DATA_DIR/artifacts, and the records of jobs below DATA_DIR/jobs.
 * A file is either whole or absent: it is written under a temporary name and renamed.
 * Names come from `job_id` and `clip_index` alone, never from a provider.
 */
import { createWriteStream } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { clipFileName } from '../../domain/job/clip-files.js';
import type { ClipFile } from '../../domain/job/clip-files.js';
import type { Job, JobEvent } from '../../domain/job/job.schema.js';

const JOB_ID = /^[A-Za-z0-9_-]+$/;

/** Job ids of the contract are safe names; a workflow started elsewhere may have any id. */
export const folderOf = (jobId: string): string =>
  JOB_ID.test(jobId) ? jobId : `~${encodeURIComponent(jobId).replaceAll('.', '%2E')}`;

/** The folder of all files of a job's clips. */
export const artifactFolder = (dataDir: string, jobId: string): string =>
  path.join(dataDir, 'artifacts', folderOf(jobId));

export const artifactPath = (
  dataDir: string,
  jobId: string,
  clipIndex: number,
  file: ClipFile,
): string => path.join(artifactFolder(dataDir, jobId), clipFileName(clipIndex, file));

export const jobPath = (
  dataDir: string,
  jobId: string,
  file: 'job.json' | 'events.jsonl' | 'plan.json',
): string => path.join(dataDir, 'jobs', folderOf(jobId), file);

/** Facts of a stored video, in a file of their own, so that a second execution need not download it again. */
export interface StoredVideo {
  prediction_id: string;
  actual_duration: number;
  width: number;
  height: number;
  bytes: number;
  sha256: string;
  thumbnail: boolean;
}

/** Unique over all machines that share the folder: in containers all processes may have the same id. */
const temporaryName = (target: string): string => `${target}.${randomUUID()}.part`;

/** Writes a file whole or not at all; with `flush` it survives a power cut once this resolves. */
export async function writeWhole(
  target: string,
  content: string | Uint8Array,
  { flush = false }: { flush?: boolean } = {},
): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const temporary = temporaryName(target);
  try {
    await (flush ? writeFlushed(temporary, content) : writeFile(temporary, content));
    await rename(temporary, target);
    if (flush) await flushFolder(path.dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeFlushed(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's name is part of its folder. Some systems cannot flush a folder. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(unlessUnsupported);
  try {
    await handle?.sync().catch(unlessUnsupported);
  } finally {
    await handle?.close();
  }
}
const unlessUnsupported = (error: unknown): undefined => {
  if (!NO_FLUSH.has(codeOf(error))) throw error;
};
const NO_FLUSH = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS']);

/** Errors of link(2) where the file system has no hard links, or does not let this user make them. */
const NO_LINKS = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
  'EACCES',
]);
/** Errors of link(2) and rename(2) where the name is taken, by a file or by a folder. */
const NAME_TAKEN = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR']);
/** Of the file in a folder that stands for a file: names on disk are never changed. */
const WHOLE = 'whole';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/**
 * Writes a file whole unless there is one: of any number of concurrent calls, exactly one resolves to true. Without hard links, a
 * folder with the file in it gets the name: a rename onto a folder that is not empty fails, as do a link onto a folder and a
 * rename of a folder onto a file. `readWhole` reads both. `flush` as in `writeWhole`.
 */
export async function createWhole(
  target: string,
  content: string,
  { flush = false, hardLink = link }: { flush?: boolean; hardLink?: typeof link } = {},
): Promise<boolean> {
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  const temporary = temporaryName(target);
  const write = flush ? writeFlushed : writeFile;
  try {
    await write(temporary, content);
    try {
      return await unlessTaken(hardLink(temporary, target));
    } catch (error) {
      if (!NO_LINKS.has(codeOf(error))) throw error;
    }
    await rm(temporary);
    await mkdir(temporary);
    await write(path.join(temporary, WHOLE), content);
    return await unlessTaken(rename(temporary, target));
  } finally {
    await rm(temporary, { recursive: true, force: true });
    if (flush) await flushFolder(folder);
  }
}

const unlessTaken = (naming: Promise<void>): Promise<boolean> =>
  naming.then(
    () => true,
    (error: unknown) => {
      if (NAME_TAKEN.has(codeOf(error))) return false;
      throw error;
    },
  );

/** Reads what `createWhole` has written. */
export const readWhole = (target: string): Promise<string> =>
  readFile(target, 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'EISDIR') throw error;
    return readFile(path.join(target, WHOLE), 'utf8');
  });

/** Another name for a whole file that never changes: a link, or a copy where there are no links. */
export async function nameAlso(file: string, target: string): Promise<void> {
  await rm(target, { force: true });
  await link(file, target).catch(async () => writeWhole(target, await readFile(file)));
}

export interface ArtifactStore {
  /** A temporary file for a video. `keep` gives it its final name; without `keep`, disposal removes it. */
  open(jobId: string, clipIndex: number): Promise<OpenArtifact>;
  stored(jobId: string, clipIndex: number): Promise<StoredVideo | null>;
  saveThumbnail(jobId: string, clipIndex: number, jpeg: Uint8Array): Promise<void>;
  /** The log so far of a job that is still running. */
  saveEvents(jobId: string, events: readonly JobEvent[]): Promise<void>;
  saveJob(job: Job, events: readonly JobEvent[]): Promise<void>;
  loadEvents(jobId: string): Promise<JobEvent[]>;
  /** The plan as it was submitted, so that the job can run again when Temporal no longer has its history. */
  savePlan(jobId: string, plan: unknown): Promise<void>;
  /** Null when there is none. */
  loadPlan(jobId: string): Promise<unknown>;
}

interface OpenArtifact extends AsyncDisposable {
  readonly path: string;
  stream(): ReturnType<typeof createWriteStream>;
  keep(facts: StoredVideo): Promise<void>;
}

export function createArtifactStore(dataDir: string): ArtifactStore {
  const saveEvents = (jobId: string, events: readonly JobEvent[]): Promise<void> =>
    writeWhole(
      jobPath(dataDir, jobId, 'events.jsonl'),
      events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    );

  return {
    async open(jobId, clipIndex) {
      const target = artifactPath(dataDir, jobId, clipIndex, 'video');
      await mkdir(path.dirname(target), { recursive: true });
      const temporary = temporaryName(target);
      return {
        path: temporary,
        stream: () => createWriteStream(temporary),
        async keep(facts) {
          await rename(temporary, target);
          // Last: there are no facts without a video.
          await writeWhole(artifactPath(dataDir, jobId, clipIndex, 'facts'), JSON.stringify(facts));
        },
        async [Symbol.asyncDispose]() {
          await rm(temporary, { force: true });
        },
      };
    },

    async stored(jobId, clipIndex) {
      try {
        const text = await readFile(artifactPath(dataDir, jobId, clipIndex, 'facts'), 'utf8');
        return JSON.parse(text) as StoredVideo;
      } catch {
        return null;
      }
    },

    saveThumbnail: (jobId, clipIndex, jpeg) =>
      writeWhole(artifactPath(dataDir, jobId, clipIndex, 'thumbnail'), jpeg),

    saveEvents,

    async saveJob(job, events) {
      await saveEvents(job.job_id, events);
      await writeWhole(jobPath(dataDir, job.job_id, 'job.json'), JSON.stringify(job, null, 2));
    },

    async loadEvents(jobId) {
      const text = await readFile(jobPath(dataDir, jobId, 'events.jsonl'), 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JobEvent);
    },

    savePlan: (jobId, plan) =>
      writeWhole(jobPath(dataDir, jobId, 'plan.json'), JSON.stringify(plan, null, 2)),

    async loadPlan(jobId) {
      try {
        const text = await readFile(jobPath(dataDir, jobId, 'plan.json'), 'utf8');
        return JSON.parse(text) as unknown;
      } catch {
        return null;
      }
    },
  };
}
