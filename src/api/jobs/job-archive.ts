/** Finished jobs as files below DATA_DIR/jobs: they need neither a worker nor Temporal, and outlive its retention. */
import { readFile } from 'node:fs/promises';
import { createArtifactStore, jobPath } from '../../adapters/storage/artifact-store.js';
import { createJobIndex, indexing } from '../../adapters/storage/job-index.js';
import type { Job, JobEvent } from '../../domain/job/job.schema.js';
import { isOver, unknownCostsOf } from '../../domain/job/progress.js';
import { readStoredEvents } from '../stream/stored-events.js';

export interface Archive {
  /** The finished job as it was stored last; null when there is none. */
  job(jobId: string): Promise<Job | null>;
  events(jobId: string): Promise<JobEvent[]>;
  /** What follows a seq in the stored log, about so many bytes of it. */
  eventsAfter(jobId: string, after: number, maxBytes: number): Promise<JobEvent[]>;
  save(job: Job, events: readonly JobEvent[]): Promise<void>;
  /** As it was given; null when it is not stored. */
  plan(jobId: string): Promise<unknown>;
  savePlan(jobId: string, plan: unknown): Promise<void>;
}

export function createArchive(dataDir: string): Archive {
  const store = indexing(createArtifactStore(dataDir), createJobIndex(dataDir));
  return {
    async job(jobId) {
      try {
        const job = JSON.parse(await readFile(jobPath(dataDir, jobId, 'job.json'), 'utf8')) as Job;
        if (job.job_id !== jobId || !isOver(job.status)) return null;
        // Older releases did not count them, and knew no labels.
        const { labels = [] } = job as Partial<Job>;
        return { ...job, labels, unknown_costs: unknownCostsOf(job.clips) };
      } catch {
        return null; // absent, or not ours: every reader has another source
      }
    },
    events: (jobId) => store.loadEvents(jobId).catch(() => []),
    eventsAfter: (jobId, after, maxBytes) =>
      readStoredEvents(jobPath(dataDir, jobId, 'events.jsonl'), after, maxBytes),
    save: (job, events) => store.saveJob(job, events),
    plan: (jobId) => store.loadPlan(jobId),
    savePlan: (jobId, plan) => store.savePlan(jobId, plan),
  };
}
