/**
 * Holds the index against the folders of the jobs: adds what it lacks, because an older release stored it or a process died
 * between the two, and takes out what was deleted. In the background, a few jobs at a time, now and then.
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
  onTrouble: (error: unknown) => void;
}

const EVERY = 600_000;
/** Lines written together. */
const CHUNK = 500;
/** Fewer are written as entries, each by itself. */
const FEW = 20;
const TRIES = 10;

export class IndexUpkeep {
  readonly #deps: Deps;
  #lookedAt = -Infinity;
  #going: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  look(): void {
    if (Date.now() - this.#lookedAt < EVERY) return;
    this.#lookedAt = Date.now();
    this.#going = this.#sweep().catch(this.#deps.onTrouble);
  }

  settled(): Promise<void> {
    return this.#going;
  }

  async #sweep(): Promise<void> {
    const { folders, stored } = this.#deps;
    const names = new Set(await folders.names());
    const known = stored.all().map(({ job }) => job.job_id);
    const indexed = new Set(known.map((id) => folders.nameOf(id)));
    await this.#write(this.#lacking([...names].filter((name) => !indexed.has(name))));
    await this.#write(this.#deleted(known.filter((id) => !names.has(folders.nameOf(id)))));
  }

  /** One after the other: there is no hurry, and others want the disk and the processor. */
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

  /** One that was deleted and is there again has to be later than its removal. */
  #lineOf(line: IndexLine): IndexLine {
    const removed = this.#deps.stored.removedAt(line.job_id);
    return removed === null ? line : { ...line, at: new Date().toISOString() };
  }

  async #write(lines: AsyncIterable<IndexLine>): Promise<void> {
    let chunk: IndexLine[] = [];
    for await (const line of lines) {
      chunk.push(line);
      if (chunk.length < CHUNK) continue;
      await this.#append(chunk);
      chunk = [];
    }
    await this.#append(chunk);
  }

  async #append(lines: readonly IndexLine[]): Promise<void> {
    const { index, stored } = this.#deps;
    // Another process may be doing the same: what it has written is not written again.
    let rest = lines;
    for (let tries = 0; tries < TRIES && rest.length > FEW; tries += 1) {
      if (await index.putAll(rest)) {
        rest = [];
        break;
      }
      await stored.look();
      rest = rest.filter((line) => stored.isNews(line));
    }
    for (const line of rest) await index.put(line);
    if (lines.length > 0) await stored.look();
  }
}
