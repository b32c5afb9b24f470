/**
 * All jobs that ended: those of the index on disk, and those that only Temporal knows of, because they were terminated or could
 * not be stored. In memory; a list or a figure reads no job.
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
  /** What goes wrong in the background, and is tried again. */
  onTrouble: (error: unknown) => void;
}

export class EndedJobs {
  readonly #stored: StoredJobs;
  readonly #unstored: UnstoredJobs;
  readonly #upkeep: IndexUpkeep;
  readonly #onTrouble: Deps['onTrouble'];

  constructor({ jobs, index, folders, onTrouble }: Deps) {
    this.#onTrouble = onTrouble;
    this.#stored = new StoredJobs(index, onTrouble);
    this.#unstored = new UnstoredJobs(jobs, this.#stored, onTrouble);
    this.#upkeep = new IndexUpkeep({ index, folders, stored: this.#stored, onTrouble });
  }

  /** Begins to read the index, so that the first list finds it read. */
  prepare(): void {
    this.#stored.look().catch(this.#onTrouble);
  }

  /** What was stored before is known after it; what Temporal alone knows, within seconds. */
  async look(): Promise<void> {
    await this.#stored.look();
    this.#upkeep.look();
    await this.#unstored.look();
  }

  /** Those that ended last come first. */
  all(): readonly EndedJob[] {
    const stored = this.#stored.all();
    const others = this.#unstored.all();
    if (others.length === 0) return stored;
    const ids = new Set(others.map(({ job }) => job.job_id));
    return [...stored.filter(({ job }) => !ids.has(job.job_id)), ...others].sort(latestEndFirst);
  }

  /** Of the stored ones, without those that run again as far as they count as what they are now. */
  async figures(runningAgain: Iterable<string>): Promise<Figures> {
    await this.#stored.look();
    this.#upkeep.look();
    const figures = this.#stored.figures();
    for (const id of runningAgain) {
      const known = this.#stored.get(id);
      if (known !== null) figures.addCounts(known.job, known.sums, -1);
    }
    return figures;
  }

  /** Resolves when what goes on in the background is over. */
  async settled(): Promise<void> {
    await this.#upkeep.settled();
    await this.#stored.settled();
  }
}
