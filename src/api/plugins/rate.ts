/**
 * How often a client may ask: by its key where keys are set, else by its address. Acts upon a job, health and the
 * page's own files are not counted, so that none of them can be out of reach. Behind a proxy that hides its clients,
 * all without a key are one: `X-Forwarded-For`, which anyone can write, is not read.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../problems.js';
import { needsKey } from './keys.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Never refused because of others, nor because of how often. */
    always?: boolean;
  }
}

const WEBHOOKS = '/webhooks/';

const isCounted = ({ routeOptions: { url = '', config } }: FastifyRequest): boolean =>
  config.always !== true && (needsKey(url) || url.startsWith(WEBHOOKS));

/** A key is named by its place, and is no part of what is kept. */
function clientOf({ routeOptions, askedWith, ip }: FastifyRequest): string {
  if ((routeOptions.url ?? '').startsWith(WEBHOOKS)) return `webhooks of ${ip}`;
  return askedWith === null ? ip : `key ${String(askedWith)}`;
}

/** To be called before any route is made, and after what says who is answered at all. */
export async function limitRate(app: FastifyInstance, max: number | null): Promise<void> {
  if (max === null) return;
  const unsaid = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false };
  await app.register(rateLimit, {
    max,
    timeWindow: 60_000,
    allowList: (request) => !isCounted(request),
    keyGenerator: clientOf,
    addHeaders: { ...unsaid, 'x-ratelimit-reset': false, 'retry-after': true },
    addHeadersOnExceeding: { ...unsaid, 'x-ratelimit-reset': false },
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpProblem(
        429,
        `expected at most ${String(max)} requests a minute of one client (API_REQUESTS_PER_MINUTE)`,
        { headers: { 'retry-after': String(Math.max(1, Math.ceil(ttl / 1000))) } },
      ),
  });
}
