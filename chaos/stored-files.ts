/** What a store has of a job: the videos that are there whole, as their .json says. */
import { createHash } from 'node:crypto';
import { createArtifactStore } from '../src/adapters/storage/artifact-store.js';
import { artifactKey } from '../src/adapters/storage/store-keys.js';
import type { Store } from '../src/adapters/storage/store.js';

/** Ids of the predictions whose videos are stored, by clip_index; facts without their video store nothing. */
export async function storedOf(
  store: Store,
  jobId: string,
  clipIndexes: Iterable<number>,
): Promise<Map<number, string>> {
  const artifacts = createArtifactStore(store, '');
  const stored = new Map<number, string>();
  for (const index of clipIndexes) {
    const facts = await artifacts.stored(jobId, index);
    if (facts === null) continue;
    const sha256 = await sha256Of(store, artifactKey(jobId, index, 'video'));
    if (sha256 === facts.sha256) stored.set(index, facts.prediction_id);
  }
  return stored;
}

/** Null for an object that is not there. */
async function sha256Of(store: Store, key: string): Promise<string | null> {
  const found = await store.get(key);
  if (found === null) return null;
  const hash = createHash('sha256');
  for await (const chunk of found.body) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
