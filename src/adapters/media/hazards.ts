/**
 * Decoding bytes from outside may crash the process that does it. Each piece of such work has a mark on disk from its start to
 * its end. A mark that is found at the start says that a process died in the middle of the same work: after two such deaths
 * the input is not decoded again. A mark is one small scratch file of this machine.
 *
 * HAZARD-1 A process that is killed for other reasons counts only when it was in the middle of this work, twice.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TooMuch } from './media-failures.js';

/** Processes that may die over one input. */
const MAX_DEATHS = 2;

export interface Hazards {
  /** Throws TooMuch when `what` was started twice and never finished. The next call starts counting anew. */
  guard<T>(jobId: string, what: string, work: () => Promise<T>): Promise<T>;
}

/** `scratch`: a folder that outlives the process. */
export const createHazards = (scratch: string): Hazards => ({
  async guard(jobId, what, work) {
    const hash = createHash('sha256').update(JSON.stringify([jobId, what]));
    const mark = path.join(scratch, `hazard-${hash.digest('hex').slice(0, 16)}.part`);
    try {
      const deaths = Number(await readFile(mark, 'utf8').catch(() => '0'));
      if (deaths >= MAX_DEATHS) {
        throw new TooMuch(`${String(deaths)} processes ended while they decoded the file`);
      }
      // Without a mark, as on a full disk, the work is done all the same.
      await mkdir(scratch, { recursive: true })
        .then(() => writeFile(mark, String(deaths + 1)))
        .catch(() => undefined);
      return await work();
    } finally {
      await rm(mark, { force: true }).catch(() => undefined);
    }
  },
});
