/**
 * Who may ask: bearer keys on `/v1/*` and `/metrics` where keys are set, and no act through a page of
 * another origin where none are. Keys are compared in constant time and never logged.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../problems.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Elements of a page cannot send headers: `?api_key=` is taken here as well. */
    keyInQuery?: boolean;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export function guard(app: FastifyInstance, keys: readonly string[]): void {
  const digests = keys.map(digest);
  app.addHook('onRequest', async (request) => {
    if (keys.length === 0) refuseOtherOrigins(request);
    else if (needsKey(request) && !isKnown(digests, keyOf(request))) {
      throw new HttpProblem(401, 'expected an API key: Authorization: Bearer <key>', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
  });
}

/** By the route that matched, so that no spelling of a path gets around it. */
function needsKey({ routeOptions }: FastifyRequest): boolean {
  const route = routeOptions.url ?? '';
  return route.startsWith('/v1/') || route === '/metrics';
}

function keyOf(request: FastifyRequest): string | null {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  if (bearer !== undefined) return bearer;
  const { api_key } = request.query as { api_key?: unknown };
  return request.routeOptions.config.keyInQuery === true && typeof api_key === 'string'
    ? api_key
    : null;
}

/** Every key is compared, so that time tells nothing of which one came close. */
function isKnown(digests: readonly Buffer[], key: string | null): boolean {
  if (key === null) return false;
  const given = digest(key);
  return digests.map((known) => timingSafeEqual(known, given)).includes(true);
}

/** A browser sends simple POSTs anywhere without asking; it does say from where. */
function refuseOtherOrigins({ method, headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (method !== 'POST' || origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new HttpProblem(403, 'expected a request from this origin; set API_KEYS to allow others');
}
