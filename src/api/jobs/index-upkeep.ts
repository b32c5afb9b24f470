/**
 * Compares the index with the folders of the jobs: adds the jobs it lacks, because an older release stored them or a process
 * died between the two writes, and removes deleted ones. Runs in the background, every ten minutes at most, a job at a time.
 */
import { setImmediate } from 'node:timers/promises';
import { lineOf } from '../../adapters/storage/job-index.js';
import type { IndexLine, JobIndex } from '../../adapters/storage/job-index.js';
import type { StoredFolders } from '../../adapters/storage/stored-folders.js';
import { entryOf } from '../../domain/job/index-entry.js';
import type { StoredJobs } from './stored-jobs.js';

interface Deps {
  index: JobIndex;
  folders: StoredFolders;
  stored: StoredJobs;
  onError: (error: unknown) => void;
}

const INTERVAL_MS = 600_000;
/** Lines written as one segment. */
const SEGMENT_LINES = 500;
/** So few lines are written as entries, each in a file of its own. */
const MAX_ENTRIES = 20;
const MAX_TRIES = 10;

export class IndexUpkeep {
  readonly #deps: Deps;
  #sweptAt = -Infinity;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  sweepIfDue(): void {
    if (Date.now() - this.#sweptAt < INTERVAL_MS) return;
    this.#sweptAt = Date.now();
    this.#sweeping = this.#sweep().catch(this.#deps.onError);
  }

  settled(): Promise<void> {
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { folders, stored } = this.#deps;
    const names = new Set(await folders.names());
    const known = stored.all().map(({ job }) => job.job_id);
    const indexed = new Set(known.map((id) => folders.nameOf(id)));
    await this.#write(this.#lacking([...names].filter((name) => !indexed.has(name))));
    await this.#write(this.#deleted(known.filter((id) => !names.has(folders.nameOf(id)))));
  }

  /** One after the other: there is no hurry, and requests need the disk and the processor. */
  async *#lacking(names: readonly string[]): AsyncGenerator<IndexLine> {
    for (const name of names) {
      await setImmediate();
      const job = await this.#deps.folders.job(name);
      const entry = job === null || job === 'absent' ? null : entryOf(job);
      if (entry !== null) yield this.#lineOf(lineOf(entry));
    }
  }

  async *#deleted(jobIds: readonly string[]): AsyncGenerator<IndexLine> {
    for (const job_id of jobIds) {
      const { folders } = this.#deps;
      if ((await folders.job(folders.nameOf(job_id))) !== 'absent') continue;
      yield { at: new Date().toISOString(), job_id, entry: null };
    }
  }

  /** The line of a job that was deleted and stored again has to be later than its removal. */
  #lineOf(line: IndexLine): IndexLine {
    const removed = this.#deps.stored.removedAt(line.job_id);
    return removed === null ? line : { ...line, at: new Date().toISOString() };
  }

  async #write(lines: AsyncIterable<IndexLine>): Promise<void> {
    let chunk: IndexLine[] = [];
    for await (const line of lines) {
      chunk.push(line);
      if (chunk.length < SEGMENT_LINES) continue;
      await this.#append(chunk);
      chunk = [];
    }
    await this.#append(chunk);
  }

  async #append(lines: readonly IndexLine[]): Promise<void> {
    const { index, stored } = this.#deps;
    // Another process may sweep at the same time: what it has written is not written again.
    let rest = lines;
    for (let tries = 0; tries < MAX_TRIES && rest.length > MAX_ENTRIES; tries += 1) {
      if (await index.putAll(rest)) {
        rest = [];
        break;
      }
      await stored.refresh();
      rest = rest.filter((line) => stored.isNewer(line));
    }
    for (const line of rest) await index.put(line);
    if (lines.length > 0) await stored.refresh();
  }
}
