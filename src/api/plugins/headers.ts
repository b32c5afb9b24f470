/**
 * What browsers are told about every answer, and what documents may load: their own origin and nothing else.
 *
 * H1 no document runs, loads or sends anything from or to elsewhere; the description of the API, whose viewer is
 *    not ours, may style itself inline and draw pictures out of its own text, and no more than that.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';

const OURS = "default-src 'self'";
const NOBODY = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/** A video is played out of a Blob: a player that loads by itself holds a connection (src/web/connections.ts). */
export const PAGE_POLICY = `${OURS}; media-src 'self' blob:; ${NOBODY}`;
export const DOCS_POLICY = `${OURS}; img-src 'self' data:; style-src 'self' 'unsafe-inline'; ${NOBODY}`;

/** `same-origin` and not `no-referrer`: the latter hides the origin of our own page's requests, too. */
export const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
} as const;

/** On Node's own answer, so that streams, which Fastify does not write, have them too. */
export function secureAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    secure(reply);
  });
}

export function secure({ raw }: FastifyReply): void {
  for (const [name, value] of Object.entries(ALWAYS)) raw.setHeader(name, value);
}
