/**
 * Files of finished clips (`artifacts/<job>/`), and the records of jobs (`jobs/<job>/`), in the store. A video is downloaded,
 * measured and pictured in a scratch file of this machine first: what is in the store is whole and good.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { CLIP_FILES } from '../../domain/job/clip-files.js';
import type { ClipFile } from '../../domain/job/clip-files.js';
import type { Job, JobEvent } from '../../domain/job/job.schema.js';
import { artifactKey, jobKey } from './store-keys.js';
import { scratchFile } from './scratch-files.js';
import { readText } from './store.js';
import type { Store } from './store.js';

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

export interface ArtifactStore {
  /** A scratch file for a video. `keep` puts it into the store; without `keep`, disposal removes it. */
  open(jobId: string, clipIndex: number): Promise<OpenArtifact>;
  /** Null when there is none. */
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

const JSON_TYPE = { media_type: 'application/json' };

/** `scratch`: a folder of this machine. */
export function createArtifactStore(store: Store, scratch: string): ArtifactStore {
  const mediaType = (file: ClipFile): { media_type: string } => ({
    media_type: CLIP_FILES[file].media_type,
  });
  const saveEvents = (jobId: string, events: readonly JobEvent[]): Promise<void> =>
    store.put(
      jobKey(jobId, 'events.jsonl'),
      events.map((event) => `${JSON.stringify(event)}\n`).join(''),
      { media_type: 'application/jsonl' },
    );

  return {
    async open(jobId, clipIndex) {
      await mkdir(scratch, { recursive: true });
      const file = scratchFile(scratch);
      return {
        path: file,
        stream: () => createWriteStream(file),
        async keep(facts) {
          const video = { ...mediaType('video'), sha256: facts.sha256 };
          await store.put(artifactKey(jobId, clipIndex, 'video'), { file }, video);
          // Last: there are no facts without a video.
          await store.put(
            artifactKey(jobId, clipIndex, 'facts'),
            JSON.stringify(facts),
            mediaType('facts'),
          );
        },
        async [Symbol.asyncDispose]() {
          await rm(file, { force: true });
        },
      };
    },

    async stored(jobId, clipIndex) {
      const text = await readText(store, artifactKey(jobId, clipIndex, 'facts'));
      return parsed(text) as StoredVideo | null;
    },

    saveThumbnail: (jobId, clipIndex, jpeg) =>
      store.put(artifactKey(jobId, clipIndex, 'thumbnail'), jpeg, mediaType('thumbnail')),

    saveEvents,

    async saveJob(job, events) {
      await saveEvents(job.job_id, events);
      await store.put(jobKey(job.job_id, 'job.json'), JSON.stringify(job, null, 2), JSON_TYPE);
    },

    async loadEvents(jobId) {
      const text = (await readText(store, jobKey(jobId, 'events.jsonl'))) ?? '';
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JobEvent);
    },

    savePlan: (jobId, plan) =>
      store.put(jobKey(jobId, 'plan.json'), JSON.stringify(plan, null, 2), JSON_TYPE),

    loadPlan: async (jobId) => parsed(await readText(store, jobKey(jobId, 'plan.json'))),
  };
}

/** Null for what is not there, and for what is not JSON. */
function parsed(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}
