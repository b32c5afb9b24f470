/**
 * The log of creates, below DATA_DIR/creates/<job>/<clip>: `<number>` is written before the `<number>`-th create of the clip is
 * sent, `<number>.answer` when its result is known. Without a file nothing was created, and the provider's list need not be
 * searched.
 *
 * CREATES-1 The file is on the disk before the request is sent, and survives a power cut.
 * CREATES-2 Of any number of executions that are about to send the same create, exactly one may send it.
 * CREATES-3 `since` is the time from which on the log has every create of the job. A job's files are removed all at once, with
 *    `since`.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { EarlierCreate, CreateIntent } from '../../domain/job/create-intent.js';
import { createWhole, folderOf, readWhole, writeWhole } from './artifact-store.js';

export interface Creates {
  /** From this time of the server on, every create of the job is in the log. The first call of a job counts. */
  open(jobId: string, at: string): Promise<void>;
  of(jobId: string, clipIndex: number): ClipCreates;
  /** Removes the logs of jobs that have created nothing for a day; resolves to their number. */
  sweep(now?: number): Promise<number>;
}

export interface ClipCreates {
  /** The time from which on no create is missing; null when that is unknown. */
  since(): Promise<string | null>;
  /** In order, from the newest create with one of the `known` predictions on; and the last number that was used. */
  earlier(known?: ReadonlySet<string>): Promise<{ creates: EarlierCreate[]; last: number }>;
  /** CREATES-2: false when another execution has begun this create. */
  begin(number: number, intent: CreateIntent): Promise<boolean>;
  /** Null: no prediction was found. */
  answer(number: number, predictionId: string | null): Promise<void>;
  /** The create was not sent, or was refused. Only for the execution that has begun it. */
  withdraw(number: number): Promise<void>;
}

/** Milliseconds without a create after which a job's log is removed. */
const MAX_AGE = 24 * 3_600_000;
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
          if (now - (await newest(job)) <= MAX_AGE) continue;
          swept += 1;
        }
        // CREATES-3: renamed first, since files are removed one by one.
        const removed = path.join(folder, `${SWEPT}${randomUUID()}`);
        await rename(job, removed);
        await rm(removed, { recursive: true, force: true });
      }
      return swept;
    },
  };
}

function clipCreates(sinceFile: string, folder: string): ClipCreates {
  const fileOf = (number: number): string => path.join(folder, String(number));
  const answerTo = (number: number): string => `${fileOf(number)}.answer`;

  async function read(number: number): Promise<EarlierCreate | null> {
    const intent = await unlessMissing(readWhole(fileOf(number)));
    if (intent === null) return null; // withdrawn meanwhile
    const answer = await unlessMissing(readWhole(answerTo(number)));
    return {
      ...(JSON.parse(intent) as CreateIntent),
      ...(answer === null ? {} : (JSON.parse(answer) as Pick<EarlierCreate, 'prediction_id'>)),
      number,
    };
  }

  return {
    since: () => unlessMissing(readWhole(sinceFile)),
    async earlier(known = new Set()) {
      const numbers = (await names(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
      numbers.sort((a, b) => b - a);
      const creates: EarlierCreate[] = [];
      for (const number of numbers) {
        const create = await read(number);
        if (create === null) continue;
        creates.unshift(create);
        if (known.has(create.prediction_id ?? '')) break;
      }
      return { creates, last: numbers[0] ?? 0 };
    },
    // CREATES-1
    begin: (number, intent) => createWhole(fileOf(number), JSON.stringify(intent), { flush: true }),
    async answer(number, prediction_id) {
      const content = JSON.stringify({ prediction_id });
      // A prediction that was found is never overwritten by null.
      if (prediction_id === null) await createWhole(answerTo(number), content);
      else await writeWhole(answerTo(number), content);
    },
    withdraw: (number) => rm(fileOf(number), { recursive: true, force: true }),
  };
}

const unlessMissing = <T>(reading: Promise<T>): Promise<T | null> =>
  reading.catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });

const names = async (folder: string): Promise<string[]> =>
  (await unlessMissing(readdir(folder))) ?? [];

/** When a file was last made in a job's folder or in the folder of one of its clips. */
async function newest(job: string): Promise<number> {
  const places = [job, ...(await names(job)).map((name) => path.join(job, name))];
  const times = await Promise.all(places.map(async (place) => unlessMissing(stat(place))));
  return Math.max(...times.map((facts) => facts?.mtimeMs ?? 0));
}
