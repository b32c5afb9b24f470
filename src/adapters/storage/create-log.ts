/**
 * The creates that were begun, below DATA_DIR/creates/<job>/<clip>: `<number>` is written before the `<number>`-th create of
 * the clip is sent, `<number>.answer` when it is known what came of it. No file, nothing created: the provider's list need
 * not be searched.
 *
 * W1 The file is on the disk before the request leaves, also after a power cut.
 * W2 Of any number of executions that are about to send the same create, exactly one is told to.
 * W3 `since` says from when on every create of a job is here. Files go by whole jobs, and `since` with them.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BegunCreate, CreateIntent } from '../../domain/job/create-intent.js';
import { createWhole, folderOf, readWhole, writeWhole } from './artifact-store.js';

export interface Creates {
  /** Every create of the job from this time of the server on is written down; the first word counts. */
  open(jobId: string, at: string): Promise<void>;
  of(jobId: string, clipIndex: number): ClipCreates;
  /** Removes those of jobs that have created nothing for a day; answers with how many jobs. */
  sweep(now?: number): Promise<number>;
}

export interface ClipCreates {
  /** From when on none is missing; null when nobody knows. */
  since(): Promise<string | null>;
  /** In order, from the newest of those that came to one of the `known` predictions on; and the last number that was used. */
  begun(known?: ReadonlySet<string>): Promise<{ begun: BegunCreate[]; last: number }>;
  /** False where another execution has begun this one. */
  begin(number: number, intent: CreateIntent): Promise<boolean>;
  /** Null: nothing was created, as far as anybody knows. */
  answer(number: number, predictionId: string | null): Promise<void>;
  /** It was not sent, or refused. By the execution that has begun it, and no other. */
  withdraw(number: number): Promise<void>;
}

/** Milliseconds without a create after which a job's are swept. */
const OLD = 24 * 3_600_000;
const SINCE = 'since';
const SWEPT = '.swept-';

export function createCreates(dataDir: string): Creates {
  const folder = path.join(dataDir, 'creates');
  const ofJob = (jobId: string): string => path.join(folder, folderOf(jobId));
  return {
    async open(jobId, at) {
      await createWhole(path.join(ofJob(jobId), SINCE), at);
    },

    of: (jobId, clipIndex) =>
      clipCreates(path.join(ofJob(jobId), SINCE), path.join(ofJob(jobId), String(clipIndex))),

    async sweep(now = Date.now()) {
      let swept = 0;
      for (const name of await names(folder)) {
        const job = path.join(folder, name);
        if (!name.startsWith(SWEPT)) {
          if (now - (await newest(job)) <= OLD) continue;
          swept += 1;
        }
        // W3: at once, and not file by file.
        const gone = path.join(folder, `${SWEPT}${randomUUID()}`);
        await rename(job, gone);
        await rm(gone, { recursive: true, force: true });
      }
      return swept;
    },
  };
}

function clipCreates(sinceFile: string, folder: string): ClipCreates {
  const place = (number: number): string => path.join(folder, String(number));
  const answerTo = (number: number): string => `${place(number)}.answer`;

  async function read(number: number): Promise<BegunCreate | null> {
    const intent = await unlessMissing(readWhole(place(number)));
    if (intent === null) return null; // withdrawn meanwhile
    const answer = await unlessMissing(readWhole(answerTo(number)));
    return {
      ...(JSON.parse(intent) as CreateIntent),
      ...(answer === null ? {} : (JSON.parse(answer) as Pick<BegunCreate, 'prediction_id'>)),
      number,
    };
  }

  return {
    since: () => unlessMissing(readWhole(sinceFile)),
    async begun(known = new Set()) {
      const numbers = (await names(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
      numbers.sort((a, b) => b - a);
      const begun: BegunCreate[] = [];
      for (const number of numbers) {
        const create = await read(number);
        if (create === null) continue;
        begun.unshift(create);
        if (known.has(create.prediction_id ?? '')) break;
      }
      return { begun, last: numbers[0] ?? 0 };
    },
    begin: (number, intent) => createWhole(place(number), JSON.stringify(intent), { flush: true }),
    async answer(number, prediction_id) {
      const content = JSON.stringify({ prediction_id });
      // That nothing was found never takes the place of what was.
      if (prediction_id === null) await createWhole(answerTo(number), content);
      else await writeWhole(answerTo(number), content);
    },
    withdraw: (number) => rm(place(number), { recursive: true, force: true }),
  };
}

const unlessMissing = <T>(reading: Promise<T>): Promise<T | null> =>
  reading.catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });

const names = async (folder: string): Promise<string[]> =>
  (await unlessMissing(readdir(folder))) ?? [];

/** When a file was last made in a job's folder or in one of a clip. */
async function newest(job: string): Promise<number> {
  const places = [job, ...(await names(job)).map((name) => path.join(job, name))];
  const times = await Promise.all(places.map(async (place) => unlessMissing(stat(place))));
  return Math.max(...times.map((facts) => facts?.mtimeMs ?? 0));
}
