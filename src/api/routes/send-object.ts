/** Sends an object of the store, with a range and by ETag (RFC 9110). Several ranges in one request are answered with the whole. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import parseRange from 'range-parser';
import { HttpProblem } from '../problems.js';
import type { ByteRange, ObjectFacts, Store, StoredObject } from '../../adapters/storage/store.js';

interface Source {
  store: Store;
  key: string;
  media_type: string;
}

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
    if (found.etag !== facts.etag && tries < MAX_TRIES) {
      found.body.destroy();
      continue;
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

/** Null for the whole. With an `If-Range` of another content, the whole is sent. */
function rangeOf(
  { headers }: FastifyRequest,
  { bytes, etag, modified_at }: ObjectFacts,
): ByteRange | 'unsatisfiable' | null {
  if (headers.range === undefined) return null;
  const condition = headers['if-range'];
  const time = new Date(modified_at).toUTCString();
  if (condition !== undefined && condition !== etag && condition !== time) return null;
  const ranges = parseRange(bytes, headers.range, { combine: true });
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return ranges[0] ?? null;
}

/** Weak comparison, as for GET. */
const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' ||
    header.split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag));
