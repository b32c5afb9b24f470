/**
 * Events that the log of a watched job no longer holds, for the reader who asks for them: from the store what is of earlier
 * runs or over, from the run's own workflow what is its own. In pages, encoded once for all who read the same ones.
 *
 * P1 the pages of all jobs together hold so many bytes, whoever reads; those used last stay.
 * P2 who asks for the same page at the same time shares one question, and only a few are asked at once.
 * P3 what follows a seq begins with the very next; where nobody has that, there is nothing.
 */
import pLimit from 'p-limit';
import type { JobEvent } from '../../domain/job/job.schema.js';
import type { Archive } from '../jobs/job-archive.js';
import type { Jobs, Run } from '../jobs/jobs-port.js';
import type { FrameBatch } from './event-log.js';
import { frameOf } from './sse-writer.js';

/** Where the events of a job are. */
export interface Origin {
  readonly jobId: string;
  readonly run: Run | null;
  /** The seq before the run's first event; null while nobody has asked. */
  base: number | null;
  /** The whole log is in the store. */
  readonly isStored: boolean;
  /** Those that the run itself could not tell, with how it ended. */
  readonly endings: readonly JobEvent[];
}

interface Page {
  jobId: string;
  /** The seq before its first frame. */
  after: number;
  frames: Buffer[];
  bytes: number;
}

interface Settings {
  jobs: Pick<Jobs, 'events'>;
  archive: Pick<Archive, 'eventsAfter'>;
  most?: { bytes: number; pages: number };
}

export const PAST_LIMITS = { bytes: 32 << 20, pages: 1_000 };
const PAGE_BYTES = 256 * 1024;
const PAGE_ENDINGS = 100;
const MAX_READS = 8;

export class PastEvents {
  readonly #settings: Settings;
  /** The one used last is the last. */
  #pages: Page[] = [];
  readonly #asking = new Map<string, Promise<Page | null>>();
  readonly #limit = pLimit(MAX_READS);

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get bytes(): number {
    return this.#pages.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** At most about so many bytes; null where nobody has the next event (P3). Throws when nobody answers. */
  async after(origin: Origin, seq: number, maxBytes: number): Promise<FrameBatch | null> {
    const page = this.#known(origin.jobId, seq) ?? (await this.#ask(origin, seq));
    return page === null ? null : batchOf(page, seq, maxBytes);
  }

  forget(jobId: string): void {
    this.#pages = this.#pages.filter((page) => page.jobId !== jobId);
  }

  #known(jobId: string, seq: number): Page | null {
    const place = this.#pages.findLastIndex(
      (page) => page.jobId === jobId && page.after <= seq && seq < page.after + page.frames.length,
    );
    const [page] = place < 0 ? [] : this.#pages.splice(place, 1);
    if (page === undefined) return null;
    this.#pages.push(page);
    return page;
  }

  #ask(origin: Origin, seq: number): Promise<Page | null> {
    const key = `${String(seq)} ${origin.jobId}`;
    const shared = this.#asking.get(key);
    if (shared !== undefined) return shared; // P2
    const asking = this.#limit(() => this.#read(origin, seq))
      .then((events) => this.#keep(origin.jobId, seq, events))
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #read(origin: Origin, seq: number): Promise<JobEvent[]> {
    const { jobId, run, isStored, endings } = origin;
    const [ending] = endings;
    if (ending !== undefined && seq + 1 >= ending.seq) {
      return endings.slice(seq + 1 - ending.seq).slice(0, PAGE_ENDINGS);
    }
    if (run === null || isStored) return this.#stored(jobId, seq, Infinity);
    if (origin.base === null || seq >= origin.base) {
      const page = await this.#settings.jobs.events(jobId, run.run_id, seq);
      const first = page.events[0]?.seq ?? page.last_seq + 1;
      if (first <= seq + 1) return page.events;
      origin.base = first - 1;
    }
    // What a run does not have, it stored before it went on; what lies beyond may be of an end that did not hold.
    return this.#stored(jobId, seq, origin.base);
  }

  async #stored(jobId: string, seq: number, last: number): Promise<JobEvent[]> {
    const events = await this.#settings.archive.eventsAfter(jobId, seq, PAGE_BYTES);
    return events.filter((event) => event.seq <= last);
  }

  #keep(jobId: string, after: number, events: readonly JobEvent[]): Page | null {
    if (events[0]?.seq !== after + 1) return null; // P3
    const frames = events.map((event) => frameOf(event.type, event, event.seq));
    const page = { jobId, after, frames, bytes: sum(frames) };
    this.#pages.push(page);
    const { bytes: most, pages } = this.#settings.most ?? PAST_LIMITS;
    // P1
    for (let bytes = this.bytes; bytes > most || this.#pages.length > pages;) {
      bytes -= this.#pages.shift()?.bytes ?? bytes;
    }
    return page;
  }
}

const sum = (frames: readonly Buffer[]): number =>
  frames.reduce((bytes, { length }) => bytes + length, 0);

function batchOf({ after, frames }: Page, seq: number, maxBytes: number): FrameBatch {
  const start = seq - after;
  let end = start;
  for (let bytes = 0; end < frames.length && bytes < maxBytes; end += 1) {
    bytes += frames[end]?.length ?? 0;
  }
  return { frames: frames.slice(start, end), last: after + end };
}
