/** Finished jobs as objects of the store: readable without a worker or Temporal, and kept longer than its retention. */
import { createArtifactStore } from '../../adapters/storage/artifact-store.js';
import { createJobIndex, indexing } from '../../adapters/storage/job-index.js';
import { jobKey } from '../../adapters/storage/store-keys.js';
import { readText } from '../../adapters/storage/store.js';
import type { Store } from '../../adapters/storage/store.js';
import type { Job, JobEvent } from '../../domain/job/job.schema.js';
import { isOver, unknownCostsOf } from '../../domain/job/progress.js';
import { readStoredEvents } from '../stream/stored-events.js';

export interface Archive {
  /** The finished job as stored last; null when there is none. */
  job(jobId: string): Promise<Job | null>;
  events(jobId: string): Promise<JobEvent[]>;
  /** The events after a seq in the stored log, about `maxBytes` of them. */
  eventsAfter(jobId: string, after: number, maxBytes: number): Promise<JobEvent[]>;
  save(job: Job, events: readonly JobEvent[]): Promise<void>;
  /** As it was given; null when it is not stored. */
  plan(jobId: string): Promise<unknown>;
  savePlan(jobId: string, plan: unknown): Promise<void>;
}

export function createArchive(objects: Store, scratch: string): Archive {
  const store = indexing(createArtifactStore(objects, scratch), createJobIndex(objects));
  return {
    async job(jobId) {
      try {
        const text = await readText(objects, jobKey(jobId, 'job.json'));
        if (text === null) return null;
        const job = JSON.parse(text) as Job;
        if (job.job_id !== jobId || !isOver(job.status)) return null;
        // Older releases stored neither unknown costs nor labels.
        const { labels = [] } = job as Partial<Job>;
        return { ...job, labels, unknown_costs: unknownCostsOf(job.clips) };
      } catch {
        return null; // not readable: every reader has another source
      }
    },
    events: (jobId) => store.loadEvents(jobId).catch(() => []),
    eventsAfter: (jobId, after, maxBytes) =>
      readStoredEvents(objects, jobKey(jobId, 'events.jsonl'), { after, maxBytes }),
    save: (job, events) => store.saveJob(job, events),
    plan: (jobId) => store.loadPlan(jobId),
    savePlan: (jobId, plan) => store.savePlan(jobId, plan),
  };
}
