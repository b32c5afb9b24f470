/**
 * Security headers of every answer, and what documents may load (decision 54 on why without a library).
 *
 * HEADERS-1 a document loads from and sends to its own origin only; with STORAGE_REDIRECTS the page also loads from the bucket's.
 *    The description of the API, whose viewer is a library's, may also have inline styles and images in data URLs.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { COMMON_HEADERS } from '../../http/common-headers.js';

const SAME_ORIGIN = "default-src 'self'";
const LOCKED = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/** Videos are played from a Blob: a player that loads by itself would hold a connection (src/web/connections.ts). */
export const PAGE_POLICY = `${SAME_ORIGIN}; media-src 'self' blob:; ${LOCKED}`;
/** A policy holds for the address that a redirect leads to as well. */
export const pagePolicy = (bucket: string | null): string =>
  bucket === null
    ? PAGE_POLICY
    : `${SAME_ORIGIN}; connect-src 'self' ${bucket}; img-src 'self' ${bucket}; media-src 'self' blob: ${bucket}; ${LOCKED}`;
export const DOCS_POLICY = `${SAME_ORIGIN}; img-src 'self' data:; style-src 'self' 'unsafe-inline'; ${LOCKED}`;

/** On Node's response, so that streams, which Fastify does not write, have them too. */
export function secureAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    secure(reply);
  });
}

export function secure({ raw }: FastifyReply): void {
  for (const [name, value] of Object.entries(COMMON_HEADERS)) raw.setHeader(name, value);
}
