/**
 * Requests per minute of a client: of its key where keys are set, else of its address. Acts on a job, health and the page's own
 * files are not counted, so that they always work. Behind a proxy that hides its clients, all clients without a key are one:
 * `X-Forwarded-For`, which every client can write, is not read.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../problems.js';
import { needsKey } from './keys.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Never refused because of load or rate. */
    always?: boolean;
  }
}

const WEBHOOKS = '/webhooks/';

const isCounted = ({ routeOptions: { url = '', config } }: FastifyRequest): boolean =>
  config.always !== true && (needsKey(url) || url.startsWith(WEBHOOKS));

/** A key is named by its index; the key itself is not kept. */
function clientOf({ routeOptions, askedWith, ip }: FastifyRequest): string {
  if ((routeOptions.url ?? '').startsWith(WEBHOOKS)) return `webhooks of ${ip}`;
  return askedWith === null ? ip : `key ${String(askedWith)}`;
}

/** Called before any route is registered, and after the checks of keys and hosts. */
export async function limitRate(app: FastifyInstance, max: number | null): Promise<void> {
  if (max === null) return;
  const hidden = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false };
  await app.register(rateLimit, {
    max,
    timeWindow: 60_000,
    allowList: (request) => !isCounted(request),
    keyGenerator: clientOf,
    addHeaders: { ...hidden, 'x-ratelimit-reset': false, 'retry-after': true },
    addHeadersOnExceeding: { ...hidden, 'x-ratelimit-reset': false },
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpProblem(
        429,
        `expected at most ${String(max)} requests a minute of one client (API_REQUESTS_PER_MINUTE)`,
        { headers: { 'retry-after': String(Math.max(1, Math.ceil(ttl / 1000))) } },
      ),
  });
}
