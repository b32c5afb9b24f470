/**
 * A job's stored log, a page at a time: one event per line, in the order of `seq`, so that a position is found by binary search.
 * A log of any length costs the memory of one page. An incomplete line is the end.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { JobEvent } from '../../domain/job/job.schema.js';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** The events after a seq, about `maxBytes` of them; none where there is no file. */
export async function readStoredEvents(
  file: string,
  after: number,
  maxBytes: number,
): Promise<JobEvent[]> {
  const handle = await open(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return [];
  try {
    const start = await offsetBefore(handle, after);
    return await eventsFrom(handle, start, { after, maxBytes });
  } finally {
    await handle.close();
  }
}

/** An offset at most a few lines before the first event after `seq`. */
async function offsetBefore(handle: FileHandle, seq: number): Promise<number> {
  let low = 0;
  for (let high = (await handle.stat()).size; high - low > CHUNK;) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineAfter(handle, middle);
    if (line === null || line.seq > seq) high = middle;
    else low = line.start;
  }
  return low;
}

/** Stands before all texts from outside; a quotation mark inside a text is escaped. */
const SEQ = /"seq":(\d{1,15})/;

/** The first line that starts after an offset; only its beginning is read. */
async function lineAfter(
  handle: FileHandle,
  offset: number,
): Promise<{ start: number; seq: number } | null> {
  const chunk = Buffer.alloc(CHUNK);
  for (let from = offset; ;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, from);
    if (bytesRead === 0) return null;
    const newline = chunk.subarray(0, bytesRead).indexOf(NEWLINE);
    if (newline < 0) {
      from += bytesRead;
      continue;
    }
    const start = from + newline + 1;
    const { bytesRead: length } = await handle.read(chunk, 0, CHUNK, start);
    const [, seq] = SEQ.exec(chunk.subarray(0, length).toString('latin1')) ?? [];
    return seq === undefined ? null : { start, seq: Number(seq) };
  }
}

interface Wanted {
  after: number;
  maxBytes: number;
}

async function eventsFrom(
  handle: FileHandle,
  start: number,
  { after, maxBytes }: Wanted,
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  let bytes = 0;
  for await (const line of linesOf(handle, start)) {
    const event = parse(line);
    if (event === null) break;
    if (event.seq <= after) continue;
    events.push(event);
    bytes += line.length;
    if (bytes >= maxBytes) break;
  }
  return events;
}

async function* linesOf(handle: FileHandle, start: number): AsyncGenerator<Buffer, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for (let from = start; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, from);
    if (bytesRead === 0) return;
    from += bytesRead;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
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
