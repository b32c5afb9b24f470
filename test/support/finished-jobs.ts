/** Finished jobs in a store, with everything that a worker and an API leave of one. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createJobIndex, lineOf } from '../../src/adapters/storage/job-index.js';
import { artifactKey, jobKey } from '../../src/adapters/storage/store-keys.js';
import type { Store } from '../../src/adapters/storage/store.js';
import { entryOf } from '../../src/domain/job/index-entry.js';
import { initialJob } from '../../src/domain/job/initial-job.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { accepted } from './checked-plans.js';
import { planWith } from './plans.js';

export const DAY = 86_400_000;

export const sha256Of = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** One clip of a random video; resolves to the video. */
export async function storeFinished(
  store: Store,
  job_id: string,
  { days = 0, bytes = 10_000 }: { days?: number; bytes?: number } = {},
): Promise<Buffer> {
  const completed_at = new Date(Date.now() - days * DAY).toISOString();
  const plan = planWith(1, { job_id });
  const identity = { job_id, run_id: `run of ${job_id}`, created_at: completed_at };
  const begun = initialJob(accepted(plan).resolved, { ...identity, simulated: true });
  const clips = begun.clips.map((clip) => ({ ...clip, status: 'succeeded' as const }));
  const over = { status: 'succeeded' as const, total_cost_usd: 1, completed_at };
  const job: Job = { ...begun, ...over, clips };
  const video = randomBytes(bytes);
  const entry = entryOf(job);
  if (entry === null) throw new Error('expected a job that is over');
  await store.put(artifactKey(job_id, 0, 'video'), video);
  await store.put(artifactKey(job_id, 0, 'thumbnail'), `thumbnail of ${job_id}`);
  await store.put(artifactKey(job_id, 0, 'composite'), `composite of ${job_id}`);
  await store.put(artifactKey(job_id, 0, 'facts'), JSON.stringify({ sha256: sha256Of(video) }));
  await store.putIfAbsent(`claims/prediction-of-${job_id}`, `${job_id}/0`);
  await store.putIfAbsent(`creates/${job_id}/since`, completed_at);
  await store.putIfAbsent(`creates/${job_id}/0/1`, JSON.stringify({ at: completed_at }));
  await store.put(`creates/${job_id}/0/1.answer`, JSON.stringify({ prediction_id: job_id }));
  await store.put(jobKey(job_id, 'plan.json'), JSON.stringify(plan));
  await store.put(jobKey(job_id, 'events.jsonl'), `${JSON.stringify({ seq: 1 })}\n`);
  await store.put(jobKey(job_id, 'job.json'), JSON.stringify(job));
  await createJobIndex(store).put(lineOf(entry));
  return video;
}

/** The hash of every file below a folder, by its path. */
export const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [path.relative(folder, file), sha256Of(readFileSync(file))]),
  );
