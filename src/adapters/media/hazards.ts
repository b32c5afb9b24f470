/**
 * Work on foreign bytes that may take its process down is written down before it begins and crossed out at its end,
 * however it ends. What is found not crossed out took a process with it: the second time, the input is given to no
 * process again. One small file a piece of work, in the folder of its job; they count as scratch files.
 *
 * Hz1 A process that is killed for other reasons counts only when it was in the middle of this very work, twice.
 */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { artifactFolder, writeWhole } from '../storage/artifact-store.js';
import { TooMuch } from './media-failures.js';

/** Processes that an input may take with it. */
const MOST = 2;

export interface Hazards {
  /** Throws TooMuch where `what` was begun twice and never came to an end. The next call begins anew. */
  face<T>(jobId: string, what: string, work: () => Promise<T>): Promise<T>;
}

export const createHazards = (dataDir: string): Hazards => ({
  async face(jobId, what, work) {
    const name = createHash('sha256').update(what).digest('hex').slice(0, 16);
    const mark = path.join(artifactFolder(dataDir, jobId), `hazard-${name}.part`);
    try {
      const begun = Number(await readFile(mark, 'utf8').catch(() => '0'));
      if (begun >= MOST) {
        throw new TooMuch(`${String(begun)} processes ended while they looked into the file`);
      }
      // A disk that takes no mark is no reason not to look.
      await writeWhole(mark, String(begun + 1)).catch(() => undefined);
      return await work();
    } finally {
      await rm(mark, { force: true }).catch(() => undefined);
    }
  },
});
