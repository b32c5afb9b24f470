/** What is on disk of a job: the videos that are there whole, as their .json says. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { artifactPath, createArtifactStore } from '../src/adapters/storage/artifact-store.js';

/** Ids of the predictions whose videos are stored, by clip_index; facts without their video store nothing. */
export async function storedOf(
  dataDir: string,
  jobId: string,
  clipIndexes: Iterable<number>,
): Promise<Map<number, string>> {
  const store = createArtifactStore(dataDir);
  const stored = new Map<number, string>();
  for (const index of clipIndexes) {
    const facts = await store.stored(jobId, index);
    if (facts === null) continue;
    const sha256 = await sha256Of(artifactPath(dataDir, jobId, index, 'video'));
    if (sha256 === facts.sha256) stored.set(index, facts.prediction_id);
  }
  return stored;
}

/** Null for a file that cannot be read. */
const sha256Of = (file: string): Promise<string | null> =>
  readFile(file).then(
    (bytes) => createHash('sha256').update(bytes).digest('hex'),
    () => null,
  );
