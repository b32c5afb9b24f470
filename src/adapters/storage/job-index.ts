/**
 * The index of finished jobs, in the store below `index/`: what lists and figures need of each job, so that neither reads the
 * jobs themselves. Written with every archived job, by any process on any machine. Files are only added, so that a reader
 * lists the names and reads the new ones.
 *
 *   entries/<time>-<hash of job_id>.json   one line, as it was written
 *   segments/<number>.jsonl                many lines in one file, so that a process that starts reads few files
 *
 * INDEX-1 Of several lines for a job the one with the latest `at` counts. Reading a line twice changes nothing.
 * INDEX-2 A segment gets its number in one step: of several processes that write the same number, one succeeds and the others are
 *    told. Its entries are deleted after that, so that a crash leaves lines twice, never none.
 * INDEX-3 The index can be rebuilt from the jobs. api/jobs/index-upkeep.ts adds what it lacks.
 */
import { createHash } from 'node:crypto';
import { entryOf } from '../../domain/job/index-entry.js';
import type { JobEntry } from '../../domain/job/index-entry.js';
import type { ArtifactStore } from './artifact-store.js';
import { keysBelow, readText } from './store.js';
import type { Store } from './store.js';

export interface IndexLine {
  /** When the job ended; for a removal, when it was noticed. */
  at: string;
  job_id: string;
  /** Null: the job was removed. */
  entry: JobEntry | null;
}

export interface JobIndex {
  put(line: IndexLine): Promise<void>;
  /** Writes a segment; false when another process has just written one, which has to be read first. */
  putAll(lines: readonly IndexLine[]): Promise<boolean>;
  /** Names, each to be read once. Segments are listed after the entries were read (INDEX-2). */
  entries(): Promise<string[]>;
  segments(): Promise<string[]>;
  /** Empty for a file that was removed, or has another content. */
  entry(name: string): Promise<IndexLine[]>;
  segment(name: string): Promise<IndexLine[]>;
  /** Moves the entries into a segment. */
  pack(): Promise<void>;
}

/** Of one segment: some hundred KiB, read in some milliseconds. */
const MAX_LINES = 1_000;

export const lineOf = (entry: JobEntry): IndexLine => ({
  at: entry.job.completed_at,
  job_id: entry.job.job_id,
  entry,
});

const ENTRIES = 'index/entries/';
const SEGMENTS = 'index/segments/';

export function createJobIndex(store: Store): JobIndex {
  const list = async (folder: string, ending: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const key of keysBelow(store, folder)) {
      if (key.endsWith(ending)) names.push(key.slice(folder.length));
    }
    return names;
  };
  const read = async (key: string): Promise<IndexLine[]> =>
    linesOf((await readText(store, key)) ?? '');
  const entry = (name: string): Promise<IndexLine[]> => read(`${ENTRIES}${name}`);
  const append = (segment: number, lines: readonly IndexLine[]): Promise<boolean> =>
    store.putIfAbsent(
      `${SEGMENTS}${String(segment).padStart(9, '0')}.jsonl`,
      lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
  const nextSegment = async (): Promise<number> =>
    1 + Number.parseInt((await list(SEGMENTS, '.jsonl')).at(-1) ?? '0', 10);

  return {
    put: (line) => store.put(`${ENTRIES}${nameOf(line)}`, JSON.stringify(line)),

    putAll: async (lines) => append(await nextSegment(), lines),

    entries: () => list(ENTRIES, '.json'),
    segments: () => list(SEGMENTS, '.jsonl'),

    entry,
    segment: (name) => read(`${SEGMENTS}${name}`),

    async pack() {
      const segment = await nextSegment();
      const names = (await list(ENTRIES, '.json')).slice(0, MAX_LINES);
      const lines: IndexLine[] = [];
      for (const name of names) lines.push(...(await entry(name)));
      if (lines.length === 0 || !(await append(segment, lines))) return; // INDEX-2
      for (const name of names) await store.delete(`${ENTRIES}${name}`);
    },
  };
}

/** A store that adds each job to the index after it has saved it. */
export function indexing(store: ArtifactStore, index: JobIndex): ArtifactStore {
  return {
    ...store,
    async saveJob(job, events) {
      await store.saveJob(job, events);
      const entry = entryOf(job);
      if (entry !== null) await index.put(lineOf(entry));
    },
  };
}

/** The same end of a job has the same name: written again, it is one entry. */
function nameOf({ at, job_id }: IndexLine): string {
  const hash = createHash('sha256').update(job_id).digest('hex').slice(0, 32);
  return `${at.replace(/[^0-9A-Za-z]/g, '')}-${hash}.json`;
}

function linesOf(text: string): IndexLine[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      const value = JSON.parse(line) as IndexLine;
      return isLine(value) ? [value] : [];
    } catch {
      return []; // not a line of this index
    }
  });
}

const isLine = (value: Partial<IndexLine> | null): boolean =>
  typeof value?.at === 'string' &&
  typeof value.job_id === 'string' &&
  (value.entry === null || typeof value.entry?.job.job_id === 'string');
