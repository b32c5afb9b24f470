/**
 * Removes jobs that ended long ago from the store, and from Temporal where it still has them, with what else is old there.
 *
 * PRUNE-1 A job goes in this order: its runs at Temporal, its line in the index, its record, its other files. Killed before the
 *    record is gone it is whole, and is listed again; killed after that it is seen nowhere, and the next run removes the rest.
 * PRUNE-2 Nothing of a job that runs is removed. Temporal is asked before the first step, and after the record is gone: from
 *    then on the job cannot be retried.
 * PRUNE-3 Claims stay for ever: without its claim, a prediction could get a second owner (CLAIMS-1).
 * PRUNE-4 A payload goes when it is older than the limit, than every run that Temporal still has, and than its retention before
 *    that: a run that was reset refers to what the run before it had written, for as long as that could be reset.
 */
import pLimit from 'p-limit';
import type { JobIndex } from '../adapters/storage/job-index.js';
import { createStoredFolders, foldersIn } from '../adapters/storage/stored-folders.js';
import { folderOf, jobIdOf } from '../adapters/storage/store-keys.js';
import { objectsBelow, StoreTrouble } from '../adapters/storage/store.js';
import type { ObjectFacts, Store } from '../adapters/storage/store.js';
import { TemporalAway } from '../api/jobs/jobs-port.js';
import { CLIP_FILES } from '../domain/job/clip-files.js';
import { isOver } from '../domain/job/progress.js';
import { errorMessage } from '../domain/values/error-message.js';
import type { JobRuns } from './job-runs.js';

interface Deps {
  store: Store;
  index: JobIndex;
  runs: JobRuns;
  /** After each job. */
  onProgress?: (pruned: Pruned) => void;
  now?: () => number;
}

export interface PruneOptions {
  /** Milliseconds since the end of a job. */
  older_than: number;
  keep_videos: boolean;
  dry_run: boolean;
}

export type Kind = 'artifacts' | 'jobs' | 'creates' | 'payloads' | 'wakes';

interface Amount {
  objects: number;
  bytes: number;
}

export interface Pruned {
  jobs: number;
  /** Jobs that are old in the store and run again. */
  running: number;
  removed: Record<Kind, Amount>;
  /** Jobs that could not be removed, and why. */
  failed: { job_id: string; reason: string }[];
  /** Why payloads were kept; null when they were looked through. */
  payloads_kept: string | null;
}

const JOBS_AT_A_TIME = 4;
const DELETES_AT_A_TIME = 8;
const FOLDERS = ['jobs', 'artifacts', 'creates'] as const;
/** What `keep_videos` keeps of `artifacts/`. */
const { video, thumbnail, facts } = CLIP_FILES;
const KEPT_ENDINGS = [video, thumbnail, facts].map(({ extension }) => `.${extension}`);
const isKept = ({ key }: ObjectFacts): boolean =>
  KEPT_ENDINGS.some((ending) => /^clip_\d+$/.test(nameOf(key).replace(ending, '')));
const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
/** A payload is written before its run starts, and clocks differ. */
const MARGIN = 3_600_000;

export async function prune(deps: Deps, options: PruneOptions): Promise<Pruned> {
  const pruned: Pruned = {
    jobs: 0,
    running: 0,
    removed: {
      artifacts: nothing(),
      jobs: nothing(),
      creates: nothing(),
      payloads: nothing(),
      wakes: nothing(),
    },
    failed: [],
    payloads_kept: null,
  };
  await new Pruning(deps, options, pruned).run();
  return pruned;
}

const nothing = (): Amount => ({ objects: 0, bytes: 0 });

class Pruning {
  readonly #deps: Deps;
  readonly #options: PruneOptions;
  readonly #pruned: Pruned;
  readonly #now: number;
  /** Everything before it is old. */
  readonly #limit: number;

  constructor(deps: Deps, options: PruneOptions, pruned: Pruned) {
    this.#deps = deps;
    this.#options = options;
    this.#pruned = pruned;
    this.#now = (deps.now ?? Date.now)();
    this.#limit = this.#now - options.older_than;
  }

  async run(): Promise<void> {
    const ends = await endsIn(this.#deps.index);
    await pLimit(JOBS_AT_A_TIME).map(await this.#folders(), async (name) => {
      try {
        await this.#job(name, ends.get(name) ?? null);
      } catch (error) {
        if (error instanceof TemporalAway || error instanceof StoreTrouble) throw error;
        this.#pruned.failed.push({ job_id: jobIdOf(name), reason: errorMessage(error) });
      }
      this.#deps.onProgress?.(this.#pruned);
    });
    await this.#old('wakes/', this.#limit);
    const before = await this.#payloadLimit();
    if (before !== null) await this.#old('payloads/', before);
  }

  async #folders(): Promise<Set<string>> {
    const names = new Set<string>();
    for (const folder of FOLDERS) {
      for (const name of await foldersIn(this.#deps.store, `${folder}/`)) names.add(name);
    }
    return names;
  }

  async #job(name: string, indexedEnd: string | null): Promise<void> {
    const { runs, index, store } = this.#deps;
    // The index is no older than the record: what is young there need not be read.
    if (indexedEnd !== null && this.#isYoung(indexedEnd)) return;
    const record = await createStoredFolders(store).job(name);
    if (record === null) throw new Error('its job.json cannot be read');
    const objects = await this.#objectsOf(name);
    const job_id = record === 'absent' ? jobIdOf(name) : record.job_id;
    const end = record === 'absent' ? lastWrite(objects) : endOf(record);
    if (objects.length === 0 || end === null || this.#isYoung(end)) return;
    const last = await runs.last(job_id); // PRUNE-2
    if (last?.closed_at === null) {
      this.#pruned.running += 1;
      return;
    }
    if (last !== null && this.#isYoung(last.closed_at)) return;
    if (!this.#options.dry_run) {
      if (last !== null) await runs.forget(job_id, last); // PRUNE-1
      if (record !== 'absent' || indexedEnd !== null)
        await index.put({ at: new Date().toISOString(), job_id, entry: null });
      await store.delete(`jobs/${name}/job.json`);
      if ((await runs.last(job_id)) !== null) {
        this.#pruned.running += 1;
        return;
      }
    }
    this.#pruned.jobs += 1;
    await this.#remove(objects);
  }

  /** Of a job, what goes; facts of a video before the video itself. */
  async #objectsOf(name: string): Promise<ObjectFacts[]> {
    const objects: ObjectFacts[] = [];
    for (const folder of FOLDERS) {
      for await (const object of objectsBelow(this.#deps.store, `${folder}/${name}/`)) {
        const mayStay = folder === 'artifacts' && this.#options.keep_videos;
        if (!mayStay || !isKept(object)) objects.push(object);
      }
    }
    const isFacts = ({ key }: ObjectFacts): number => Number(key.endsWith('.json'));
    return objects.sort((a, b) => isFacts(b) - isFacts(a));
  }

  /** PRUNE-4. Null: payloads stay. */
  async #payloadLimit(): Promise<number | null> {
    const { runs } = this.#deps;
    try {
      const retention = await runs.retention();
      if (retention === null) throw new Error('Temporal does not tell its retention');
      const before = Math.min(this.#limit, this.#now - retention);
      const first = await runs.firstBefore(before);
      return Math.min(before, first ?? Infinity) - retention - MARGIN;
    } catch (error) {
      this.#pruned.payloads_kept = errorMessage(error);
      return null;
    }
  }

  async #old(prefix: string, before: number): Promise<void> {
    const { store } = this.#deps;
    const isOld = ({ modified_at }: ObjectFacts): boolean => Date.parse(modified_at) < before;
    let chunk: ObjectFacts[] = [];
    const flush = async (): Promise<void> => {
      await this.#remove(chunk, async ({ key }) => {
        const now = await store.head(key); // it may have been written again
        return now !== null && isOld(now);
      });
      chunk = [];
    };
    for await (const object of objectsBelow(store, prefix)) {
      if (isOld(object)) chunk.push(object);
      if (chunk.length === CHUNK) await flush();
    }
    await flush();
  }

  async #remove(
    objects: readonly ObjectFacts[],
    isStill: (object: ObjectFacts) => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<void> {
    const remove = async (object: ObjectFacts): Promise<void> => {
      if (!this.#options.dry_run) {
        if (!(await isStill(object))) return;
        await this.#deps.store.delete(object.key);
      }
      const [kind = ''] = object.key.split('/');
      const amount = this.#pruned.removed[kind as Kind];
      amount.objects += 1;
      amount.bytes += object.bytes;
    };
    await pLimit(DELETES_AT_A_TIME).map(objects, remove);
  }

  #isYoung(time: string): boolean {
    return Date.parse(time) >= this.#limit;
  }
}

const CHUNK = 1_000;

/** When each job of the index ended, by the name of its folder. */
async function endsIn(index: JobIndex): Promise<Map<string, string>> {
  const latest = new Map<string, { at: string; end: string | null }>();
  const take = (lines: Awaited<ReturnType<JobIndex['entry']>>): void => {
    for (const { job_id, at, entry } of lines) {
      const name = folderOf(job_id);
      const known = latest.get(name);
      if (known !== undefined && known.at >= at) continue;
      latest.set(name, { at, end: entry?.job.completed_at ?? null });
    }
  };
  for (const name of await index.entries()) take(await index.entry(name));
  for (const name of await index.segments()) take(await index.segment(name));
  return new Map(
    [...latest].flatMap(([name, { end }]) => (end === null ? [] : [[name, end] as const])),
  );
}

const endOf = ({
  status,
  completed_at,
}: {
  status: Parameters<typeof isOver>[0];
  completed_at: string | null;
}): string | null => (isOver(status) ? completed_at : null);

/** A job without a record ended when the last of its files was written, at the earliest. */
const lastWrite = (objects: readonly ObjectFacts[]): string | null =>
  objects.reduce<string | null>(
    (last, { modified_at }) => (last === null || modified_at > last ? modified_at : last),
    null,
  );
