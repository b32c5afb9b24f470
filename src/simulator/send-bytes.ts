/** Sends bytes as a file host does: length, type, ETag, one range (RFC 9110), 304 and 416. */
import type { FastifyReply, FastifyRequest } from 'fastify';

interface Served {
  bytes: Uint8Array;
  etag: string;
  type: string;
}

export function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, etag, type }: Served,
): FastifyReply {
  void reply.header('etag', etag).header('accept-ranges', 'bytes');
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  void reply.header('content-type', type);
  const wanted = request.headers['if-range'] ?? etag;
  const range = wanted === etag ? readRange(request.headers.range, bytes.length) : null;
  if (range === null) return reply.send(bytes);
  const size = String(bytes.length);
  if (range === 'outside') return reply.code(416).header('content-range', `bytes */${size}`).send();
  return reply
    .code(206)
    .header('content-range', `bytes ${String(range.from)}-${String(range.to)}/${size}`)
    .send(bytes.subarray(range.from, range.to + 1));
}

/** Null: send everything, also when the header makes no sense or asks for several ranges. */
function readRange(
  header: string | undefined,
  size: number,
): { from: number; to: number } | 'outside' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return null;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  if (first !== '' && last !== '' && Number(last) < from) return null;
  return from > to ? 'outside' : { from, to };
}
