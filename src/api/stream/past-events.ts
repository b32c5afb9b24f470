/**
 * Events that the log of a watched job no longer holds: those of earlier runs and of finished jobs come from the store, those of
 * the current run from its workflow. In pages that are encoded once for all readers.
 *
 * PAST-1 the bytes of all pages of all jobs are bounded; the least recently used pages are dropped.
 * PAST-2 requests for the same page at the same time share one read, and reads at the same time are bounded.
 * PAST-3 a page begins with the event right after the requested seq; where that is lost, there is no page.
 */
import pLimit from 'p-limit';
import type { JobEvent } from '../../domain/job/job.schema.js';
import type { Archive } from '../jobs/job-archive.js';
import type { Jobs, Run } from '../jobs/jobs-port.js';
import type { FrameBatch } from './event-log.js';
import { frameOf } from './sse-writer.js';

/** Where the events of a job come from. */
export interface Origin {
  readonly jobId: string;
  readonly run: Run | null;
  /** The seq before the run's first event; null while it is not known. */
  base: number | null;
  /** The whole log is in the store. */
  readonly isStored: boolean;
  /** Synthesized: the run ended without writing them. */
  readonly terminalEvents: readonly JobEvent[];
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
const PAGE_TERMINAL_EVENTS = 100;
const MAX_READS = 8;

export class PastEvents {
  readonly #settings: Settings;
  /** The most recently used last. */
  #pages: Page[] = [];
  readonly #reading = new Map<string, Promise<Page | null>>();
  readonly #limit = pLimit(MAX_READS);

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get bytes(): number {
    return this.#pages.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** About `maxBytes` of events; null where the next event is lost (PAST-3). Throws when they cannot be read now. */
  async after(origin: Origin, seq: number, maxBytes: number): Promise<FrameBatch | null> {
    const page = this.#cached(origin.jobId, seq) ?? (await this.#load(origin, seq));
    return page === null ? null : batchOf(page, seq, maxBytes);
  }

  forget(jobId: string): void {
    this.#pages = this.#pages.filter((page) => page.jobId !== jobId);
  }

  #cached(jobId: string, seq: number): Page | null {
    const place = this.#pages.findLastIndex(
      (page) => page.jobId === jobId && page.after <= seq && seq < page.after + page.frames.length,
    );
    const [page] = place < 0 ? [] : this.#pages.splice(place, 1);
    if (page === undefined) return null;
    this.#pages.push(page);
    return page;
  }

  #load(origin: Origin, seq: number): Promise<Page | null> {
    const key = `${String(seq)} ${origin.jobId}`;
    const shared = this.#reading.get(key);
    if (shared !== undefined) return shared; // PAST-2
    const reading = this.#limit(() => this.#read(origin, seq))
      .then((events) => this.#keep(origin.jobId, seq, events))
      .finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(origin: Origin, seq: number): Promise<JobEvent[]> {
    const { jobId, run, isStored, terminalEvents } = origin;
    const [terminal] = terminalEvents;
    if (terminal !== undefined && seq + 1 >= terminal.seq) {
      return terminalEvents.slice(seq + 1 - terminal.seq).slice(0, PAGE_TERMINAL_EVENTS);
    }
    if (run === null || isStored) return this.#stored(jobId, seq, Infinity);
    if (origin.base === null || seq >= origin.base) {
      const page = await this.#settings.jobs.events(jobId, run.run_id, seq);
      const first = page.events[0]?.seq ?? page.last_seq + 1;
      if (first <= seq + 1) return page.events;
      origin.base = first - 1;
    }
    // Events that a run no longer has were stored before it started; later stored ones may belong to an end that was retried.
    return this.#stored(jobId, seq, origin.base);
  }

  async #stored(jobId: string, seq: number, last: number): Promise<JobEvent[]> {
    const events = await this.#settings.archive.eventsAfter(jobId, seq, PAGE_BYTES);
    return events.filter((event) => event.seq <= last);
  }

  #keep(jobId: string, after: number, events: readonly JobEvent[]): Page | null {
    if (events[0]?.seq !== after + 1) return null; // PAST-3
    const frames = events.map((event) => frameOf(event.type, event, event.seq));
    const page = { jobId, after, frames, bytes: sum(frames) };
    this.#pages.push(page);
    const { bytes: most, pages } = this.#settings.most ?? PAST_LIMITS;
    // PAST-1
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
