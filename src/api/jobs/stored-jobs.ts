/**
 * All finished jobs of the index on disk, in memory; a refresh reads the files that are new there. About 1.5 KB a job.
 *
 * STORED-1 what was written before a refresh began is in its result.
 */
import pLimit from 'p-limit';
import type { IndexLine, JobIndex } from '../../adapters/storage/job-index.js';
import type { JobEntry } from '../../domain/job/index-entry.js';
import { textOf } from '../../domain/job/job-summary.js';
import { Figures } from '../observability/job-metrics.js';

export interface StoredJob extends Omit<JobEntry, 'beginnings'> {
  /** What a search looks through. */
  text: string;
}

/** A job that ended, stored or not. */
export type EndedJob = Pick<StoredJob, 'job' | 'text'>;

/** Entries read at the same time. */
const MAX_READS = 8;
/** So many entries are packed into a segment. */
const ENTRIES_PER_SEGMENT = 500;
const PACK_AGAIN_MS = 600_000;

export class StoredJobs {
  readonly #index: JobIndex;
  readonly #onPackingFailed: (error: unknown) => void;
  /** By id; null where the job was removed. */
  readonly #jobs = new Map<string, { at: string; job: StoredJob | null }>();
  readonly #figures = new Figures();
  #sorted: readonly StoredJob[] | null = null;
  readonly #segments = new Set<string>();
  #entries: ReadonlySet<string> = new Set();
  #reading: Promise<void> = Promise.resolve();
  #packing: Promise<void> | null = null;
  #packFrom = 0;

  constructor(index: JobIndex, onPackingFailed: (error: unknown) => void = () => undefined) {
    this.#index = index;
    this.#onPackingFailed = onPackingFailed;
  }

  /** One after the other; the first reads everything, the others what is new. */
  refresh(): Promise<void> {
    const refresh = this.#reading.then(() => this.#read()); // STORED-1
    this.#reading = refresh.catch(() => undefined);
    return refresh;
  }

  get(jobId: string): StoredJob | null {
    return this.#jobs.get(jobId)?.job ?? null;
  }

  removedAt(jobId: string): string | null {
    const known = this.#jobs.get(jobId);
    return known?.job === null ? known.at : null;
  }

  /** Is the line newer than what is known of its job? */
  isNewer({ job_id, at }: Pick<IndexLine, 'job_id' | 'at'>): boolean {
    const known = this.#jobs.get(job_id);
    return known === undefined || known.at < at;
  }

  /** The latest ended first. */
  all(): readonly StoredJob[] {
    this.#sorted ??= [...this.#jobs.values()].flatMap(({ job }) => job ?? []).sort(latestEndFirst);
    return this.#sorted;
  }

  figures(): Figures {
    return this.#figures.copy();
  }

  /** Resolves when nothing is being packed. */
  async settled(): Promise<void> {
    await this.#packing;
  }

  async #read(): Promise<void> {
    const entries = await this.#index.entries();
    const added = entries.filter((name) => !this.#entries.has(name));
    await pLimit(MAX_READS).map(added, async (name) => {
      this.#take(await this.#index.entry(name));
    });
    this.#entries = new Set(entries);
    for (const name of await this.#index.segments()) {
      if (this.#segments.has(name)) continue;
      this.#take(await this.#index.segment(name));
      this.#segments.add(name);
    }
    if (entries.length >= ENTRIES_PER_SEGMENT && Date.now() >= this.#packFrom)
      this.#packing ??= this.#pack();
  }

  /** A process that may only read the folder leaves it to another. */
  async #pack(): Promise<void> {
    try {
      await this.#index.pack();
    } catch (error) {
      this.#packFrom = Date.now() + PACK_AGAIN_MS;
      this.#onPackingFailed(error);
    } finally {
      this.#packing = null;
    }
  }

  #take(lines: readonly IndexLine[]): void {
    for (const line of lines) {
      if (!this.isNewer(line)) continue;
      const { at, job_id, entry } = line;
      const known = this.#jobs.get(job_id);
      const job = entry && storedJob(entry);
      if (known?.job) this.#uncount(known.job, job !== null);
      if (job) this.#figures.addFinished(job);
      this.#jobs.set(job_id, { at, job });
      this.#sorted = null;
    }
  }

  /** What a job has cost stays counted when its record is removed. */
  #uncount(job: StoredJob, isReplaced: boolean): void {
    if (isReplaced) this.#figures.addFinished(job, -1);
    else this.#figures.addCounts(job.job, job.sums, -1);
  }
}

const storedJob = ({ job, sums, beginnings }: JobEntry): StoredJob => ({
  job,
  sums,
  text: textOf(job, beginnings),
});

/** The order of the list; by id where the times are equal. */
export const latestEndFirst = (
  { job: a }: { job: EndedPosition },
  { job: b }: { job: EndedPosition },
): number =>
  Number(a.completed_at < b.completed_at) - Number(a.completed_at > b.completed_at) ||
  Number(a.job_id < b.job_id) - Number(a.job_id > b.job_id);

export interface EndedPosition {
  completed_at: string;
  job_id: string;
}
