/**
 * A job's stored log, a page at a time: one event per line, in the order of `seq`, so that a position is found by binary search.
 * A log of any length costs the memory of one page. An incomplete line is the end.
 */
import { readBytes } from '../../adapters/storage/store.js';
import type { Store } from '../../adapters/storage/store.js';
import type { JobEvent } from '../../domain/job/job.schema.js';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

interface Wanted {
  /** A seq. */
  after: number;
  maxBytes: number;
}

/** The events after a seq, about `maxBytes` of them; none where there is no log. */
export async function readStoredEvents(
  store: Store,
  key: string,
  wanted: Wanted,
): Promise<JobEvent[]> {
  const facts = await store.head(key);
  if (facts === null) return [];
  const log: Log = {
    bytes: facts.bytes,
    chunk: async (from) =>
      from >= facts.bytes
        ? Buffer.alloc(0)
        : ((await readBytes(store, key, { start: from, end: from + CHUNK - 1 })) ??
          Buffer.alloc(0)),
  };
  return eventsFrom(log, await offsetBefore(log, wanted.after), wanted);
}

interface Log {
  bytes: number;
  /** Up to CHUNK bytes; none at the end. */
  chunk(from: number): Promise<Buffer>;
}

/** An offset at most a few lines before the first event after `seq`. */
async function offsetBefore(log: Log, seq: number): Promise<number> {
  let low = 0;
  for (let high = log.bytes; high - low > CHUNK;) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineAfter(log, middle);
    if (line === null || line.seq > seq) high = middle;
    else low = line.start;
  }
  return low;
}

/** Stands before all texts from outside; a quotation mark inside a text is escaped. */
const SEQ = /"seq":(\d{1,15})/;
/** Bytes of a line among which its seq is. */
const BEGINNING = 4_096;

/** The first line that starts after an offset; only its beginning is read. */
async function lineAfter(log: Log, offset: number): Promise<{ start: number; seq: number } | null> {
  for (let from = offset; ;) {
    const chunk = await log.chunk(from);
    if (chunk.length === 0) return null;
    const newline = chunk.indexOf(NEWLINE);
    if (newline < 0) {
      from += chunk.length;
      continue;
    }
    const start = from + newline + 1;
    const rest = chunk.subarray(newline + 1);
    const beginning = rest.length < BEGINNING ? await log.chunk(start) : rest;
    const [, seq] = SEQ.exec(beginning.toString('latin1')) ?? [];
    return seq === undefined ? null : { start, seq: Number(seq) };
  }
}

async function eventsFrom(
  log: Log,
  start: number,
  { after, maxBytes }: Wanted,
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  let bytes = 0;
  for await (const line of linesOf(log, start)) {
    const event = parse(line);
    if (event === null) break;
    if (event.seq <= after) continue;
    events.push(event);
    bytes += line.length;
    if (bytes >= maxBytes) break;
  }
  return events;
}

async function* linesOf(log: Log, start: number): AsyncGenerator<Buffer, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for (let from = start; ;) {
    const chunk = await log.chunk(from);
    if (chunk.length === 0) return;
    from += chunk.length;
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
  }
}

function parse(line: Buffer): JobEvent | null {
  try {
    const event = JSON.parse(line.toString()) as JobEvent;
    return Number.isSafeInteger(event.seq) ? event : null;
  } catch {
    return null;
  }
}
