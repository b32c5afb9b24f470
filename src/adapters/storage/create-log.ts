/**
 * The log of creates, in the store below `creates/<job>/<clip>`: `<number>` is written before the `<number>`-th create of the clip is
 * sent, `<number>.answer` when its result is known. Without it nothing was created, and the provider's list need not be
 * searched.
 *
 * CREATES-1 The intent is in the store before the request is sent, and survives a power cut.
 * CREATES-2 Of any number of executions that are about to send the same create, exactly one may send it.
 * CREATES-3 `since` is the time from which on the log has every create of the job. `since` is removed
 *    before the first of a job's intents.
 */
import type { EarlierCreate, CreateIntent } from '../../domain/job/create-intent.js';
import { folderOf } from './store-keys.js';
import { keysBelow, objectsBelow, readText } from './store.js';
import type { ObjectFacts, Store } from './store.js';

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
const FOLDER = 'creates/';

export function createCreates(store: Store): Creates {
  const sinceOf = (jobFolder: string): string => `${FOLDER}${jobFolder}/since`;
  return {
    async open(jobId, at) {
      await store.putIfAbsent(sinceOf(folderOf(jobId)), at);
    },

    of: (jobId, clipIndex) =>
      clipCreates(
        store,
        sinceOf(folderOf(jobId)),
        `${FOLDER}${folderOf(jobId)}/${String(clipIndex)}/`,
      ),

    async sweep(now = Date.now()) {
      const isOld = ({ modified_at }: { modified_at: string }): boolean =>
        now - Date.parse(modified_at) > MAX_AGE;
      let swept = 0;
      for await (const [job, objects] of byJob(store)) {
        if (!objects.every(isOld)) continue;
        await store.delete(sinceOf(job)); // CREATES-3
        // A job that creates again meanwhile has numbers of its own.
        for (const { key } of objects) {
          const facts = await store.head(key);
          if (facts !== null && isOld(facts)) await store.delete(key);
        }
        swept += 1;
      }
      return swept;
    },
  };
}

/** The log of each job. All keys of a job follow one another. */
async function* byJob(store: Store): AsyncGenerator<[job: string, objects: ObjectFacts[]]> {
  let current: [job: string, objects: ObjectFacts[]] | null = null;
  for await (const object of objectsBelow(store, FOLDER)) {
    const [job = ''] = object.key.slice(FOLDER.length).split('/');
    if (current !== null && current[0] !== job) yield current;
    if (current?.[0] !== job) current = [job, []];
    current[1].push(object);
  }
  if (current !== null) yield current;
}

function clipCreates(store: Store, since: string, folder: string): ClipCreates {
  const keyOf = (number: number): string => `${folder}${String(number)}`;
  const answerTo = (number: number): string => `${keyOf(number)}.answer`;

  async function read(number: number): Promise<EarlierCreate | null> {
    const intent = await readText(store, keyOf(number));
    if (intent === null) return null; // withdrawn meanwhile
    const answer = await readText(store, answerTo(number));
    return {
      ...(JSON.parse(intent) as CreateIntent),
      ...(answer === null ? {} : (JSON.parse(answer) as Pick<EarlierCreate, 'prediction_id'>)),
      number,
    };
  }

  async function numbers(): Promise<number[]> {
    const found: number[] = [];
    for await (const key of keysBelow(store, folder)) {
      const name = key.slice(folder.length);
      if (/^\d+$/.test(name)) found.push(Number(name));
    }
    return found.sort((a, b) => b - a);
  }

  return {
    since: () => readText(store, since),
    async earlier(known = new Set()) {
      const begun = await numbers();
      const creates: EarlierCreate[] = [];
      for (const number of begun) {
        const create = await read(number);
        if (create === null) continue;
        creates.unshift(create);
        if (known.has(create.prediction_id ?? '')) break;
      }
      return { creates, last: begun[0] ?? 0 };
    },
    // CREATES-1
    begin: (number, intent) =>
      store.putIfAbsent(keyOf(number), JSON.stringify(intent), { flush: true }),
    async answer(number, prediction_id) {
      const content = JSON.stringify({ prediction_id });
      // A prediction that was found is never overwritten by null.
      if (prediction_id === null) await store.putIfAbsent(answerTo(number), content);
      else await store.put(answerTo(number), content);
    },
    withdraw: (number) => store.delete(keyOf(number)),
  };
}
