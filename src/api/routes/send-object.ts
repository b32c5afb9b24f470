/**
 * Sends an object of the store, with a range and by ETag (RFC 9110). Several ranges in one request are answered with the whole.
 * Or it sends its reader to the store itself, by an address that opens this object for some minutes.
 *
 * SEND-1 such an address is given to the one who asked, and stands in no cache and no log.
 * SEND-2 whatever ends the answer early closes the object that is being read.
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem, unavailable } from '../problems.js';
import type { ByteRange, ObjectFacts, Store, StoredObject } from '../../adapters/storage/store.js';

interface Source {
  store: Store;
  key: string;
  media_type: string;
  /** Null: the bytes are sent from here, also where the store has an address for them. */
  redirect: Redirect | null;
}

export interface Redirect {
  /** What a browser calls it when it saves it; shown in place when absent. */
  file_name?: string;
}

/** Seconds that an address of the store is good for; a token of a job's files lives as long. */
const ADDRESS_LIFE = 15 * 60;

/** A file may be replaced between the look at it and its opening. */
const MAX_TRIES = 3;

/** False where there is no such object; nothing is sent then. */
export async function sendObject(
  request: FastifyRequest,
  reply: FastifyReply,
  source: Source,
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const facts = await source.store.head(source.key);
    if (facts === null) return false;
    if (matches(request.headers['if-none-match'], facts.etag)) {
      describe(reply, facts, source).code(304).send();
      return true;
    }
    if (await sendAddress(request, reply, source)) return true;
    const range = rangeOf(request, facts);
    if (range === 'unsatisfiable') {
      const size = String(facts.bytes);
      throw new HttpProblem(
        416,
        `expected a range of the file's ${size} bytes, got ${String(request.headers.range)}`,
        { headers: { 'content-range': `bytes */${size}` } },
      );
    }
    const found = await open(request, source, { facts, range });
    if (found === null) return false;
    if (found.etag !== facts.etag) {
      found.body.destroy();
      if (tries < MAX_TRIES) continue;
      throw unavailable('this file is being replaced at the moment; ask again');
    }
    const { start, end } = range ?? { start: 0, end: facts.bytes - 1 };
    describe(reply, facts, source).header('content-length', end - start + 1);
    if (range !== null)
      reply
        .code(206)
        .header('content-range', `bytes ${String(start)}-${String(end)}/${String(facts.bytes)}`);
    reply.send(found.body);
    return true;
  }
}

/** False where the store has no address. What HEAD asks for is known here. */
async function sendAddress(
  { method }: FastifyRequest,
  reply: FastifyReply,
  { store, key, media_type, redirect }: Source,
): Promise<boolean> {
  if (redirect === null || method === 'HEAD') return false;
  const address = await store.url(key, { expires_in: ADDRESS_LIFE, media_type, ...redirect });
  if (address === null) return false;
  reply.header('cache-control', 'private, no-store').redirect(address, 302); // SEND-1
  return true;
}

/** A HEAD request needs no bytes. */
const open = (
  { method }: FastifyRequest,
  { store, key }: Source,
  { facts, range }: { facts: ObjectFacts; range: ByteRange | null },
): Promise<StoredObject | null> =>
  method === 'HEAD'
    ? Promise.resolve({ ...facts, body: Readable.from([]) })
    : store.get(key, range ?? undefined);

const describe = (reply: FastifyReply, facts: ObjectFacts, { media_type }: Source): FastifyReply =>
  reply
    .type(media_type)
    .header('etag', facts.etag)
    .header('last-modified', new Date(facts.modified_at).toUTCString())
    .header('accept-ranges', 'bytes')
    // A clip that is retried gets a new file under the same name: ask each time, by ETag.
    .header('cache-control', 'private, no-cache');

/** One range of bytes, as RFC 9110 (14.1.2) writes it: from and to, from, or how many at the end. */
const RANGE = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/i;

/**
 * Null for the whole: of what is no range or more than one, for other methods than GET, and with an `If-Range` of another content.
 * Not by a library: `range-parser` refuses with 416 what is not a range, and the end of a file by more bytes than it has.
 */
function rangeOf(
  { method, headers }: FastifyRequest,
  { bytes, etag, modified_at }: ObjectFacts,
): ByteRange | 'unsatisfiable' | null {
  if (headers.range === undefined || method !== 'GET') return null;
  const condition = headers['if-range'];
  const time = new Date(modified_at).toUTCString();
  if (condition !== undefined && condition !== etag && condition !== time) return null;
  const [, first, last, suffix] = RANGE.exec(headers.range.replaceAll(/\s/g, '')) ?? [];
  if (first === undefined && suffix === undefined) return null;
  const start = first === undefined ? Math.max(0, bytes - Number(suffix)) : Number(first);
  const end = last === undefined || last === '' ? Infinity : Number(last);
  if (start > end) return null;
  return start < bytes ? { start, end: Math.min(end, bytes - 1) } : 'unsatisfiable';
}

/** Weak comparison, as for GET. */
const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' ||
    header.split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag));
