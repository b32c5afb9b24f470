/**
 * All jobs that ended: those of the index on disk, and those that only Temporal knows, because they were terminated or could not
 * be stored. Kept in memory, so that lists and metrics read no job.
 */
import type { JobIndex } from '../../adapters/storage/job-index.js';
import type { StoredFolders } from '../../adapters/storage/stored-folders.js';
import { IndexUpkeep } from './index-upkeep.js';
import type { Figures } from '../observability/job-metrics.js';
import type { Jobs } from './jobs-port.js';
import { latestEndFirst, StoredJobs } from './stored-jobs.js';
import type { EndedJob } from './stored-jobs.js';
import { UnstoredJobs } from './unstored-jobs.js';

interface Deps {
  jobs: Pick<Jobs, 'listClosed'>;
  index: JobIndex;
  folders: StoredFolders;
  /** Called with failures in the background, which are retried. */
  onError: (error: unknown) => void;
}

export class EndedJobs {
  readonly #stored: StoredJobs;
  readonly #unstored: UnstoredJobs;
  readonly #upkeep: IndexUpkeep;
  readonly #onError: Deps['onError'];

  constructor({ jobs, index, folders, onError }: Deps) {
    this.#onError = onError;
    this.#stored = new StoredJobs(index, onError);
    this.#unstored = new UnstoredJobs(jobs, this.#stored, onError);
    this.#upkeep = new IndexUpkeep({ index, folders, stored: this.#stored, onError });
  }

  /** Starts to read the index, before the first list needs it. */
  prepare(): void {
    this.#stored.refresh().catch(this.#onError);
  }

  /** Afterwards, all that was stored before is known; what only Temporal knows, within seconds. */
  async refresh(): Promise<void> {
    await this.#stored.refresh();
    this.#upkeep.sweepIfDue();
    await this.#unstored.refresh();
  }

  /** The latest ended first. */
  all(): readonly EndedJob[] {
    const stored = this.#stored.all();
    const others = this.#unstored.all();
    if (others.length === 0) return stored;
    const ids = new Set(others.map(({ job }) => job.job_id));
    return [...stored.filter(({ job }) => !ids.has(job.job_id)), ...others].sort(latestEndFirst);
  }

  /** Of the stored jobs. Those that run again are not counted in the state in which they ended. */
  async figures(runningAgain: Iterable<string>): Promise<Figures> {
    await this.#stored.refresh();
    this.#upkeep.sweepIfDue();
    const figures = this.#stored.figures();
    for (const id of runningAgain) {
      const known = this.#stored.get(id);
      if (known !== null) figures.addCounts(known.job, known.sums, -1);
    }
    return figures;
  }

  /** Resolves when nothing runs in the background. */
  async settled(): Promise<void> {
    await this.#upkeep.settled();
    await this.#stored.settled();
  }
}
