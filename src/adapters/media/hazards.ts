/**
 * Decoding bytes from outside may crash the process that does it. Each piece of such work has a mark on disk from its start to
 * its end. A mark that is found at the start says that a process died in the middle of the same work: after two such deaths
 * the input is not decoded again. A mark is one small file in the folder of its job, and counts as a scratch file.
 *
 * HAZARD-1 A process that is killed for other reasons counts only when it was in the middle of this work, twice.
 */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { artifactFolder, writeWhole } from '../storage/artifact-store.js';
import { TooMuch } from './media-failures.js';

/** Processes that may die over one input. */
const MAX_DEATHS = 2;

export interface Hazards {
  /** Throws TooMuch when `what` was started twice and never finished. The next call starts counting anew. */
  guard<T>(jobId: string, what: string, work: () => Promise<T>): Promise<T>;
}

export const createHazards = (dataDir: string): Hazards => ({
  async guard(jobId, what, work) {
    const name = createHash('sha256').update(what).digest('hex').slice(0, 16);
    const mark = path.join(artifactFolder(dataDir, jobId), `hazard-${name}.part`);
    try {
      const deaths = Number(await readFile(mark, 'utf8').catch(() => '0'));
      if (deaths >= MAX_DEATHS) {
        throw new TooMuch(`${String(deaths)} processes ended while they decoded the file`);
      }
      // Without a mark, as on a full disk, the work is done all the same.
      await writeWhole(mark, String(deaths + 1)).catch(() => undefined);
      return await work();
    } finally {
      await rm(mark, { force: true }).catch(() => undefined);
    }
  },
});
