/**
 * Who may ask. Where keys are set: bearer keys on `/v1/*` and `/metrics`. Where none are: only requests for this
 * machine or an allowed host, on every route, and no act through a page of another origin. Keys are compared in
 * constant time and never logged.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hostCountRefusal, hostRefusal, isOwnOrigin } from '../../request-host.js';
import { HttpProblem } from '../problems.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Elements of a page cannot send headers: `?api_key=` is taken here as well. */
    keyInQuery?: boolean;
    /** Answered for these hosts too where no keys are set: the route has a guard of its own. */
    hosts?: readonly string[];
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface Door {
  keys: readonly string[];
  /** `host` or `host:port`, besides this machine. */
  hosts: readonly string[];
}

export function guard(app: FastifyInstance, door: Door): void {
  const digests = door.keys.map(digest);
  app.addHook('onRequest', async (request) => {
    refuseOtherHosts(door, request);
    if (door.keys.length === 0) refuseOtherOrigins(request);
    else if (needsKey(request.routeOptions.url ?? '') && !isKnown(digests, keyOf(request))) {
      throw new HttpProblem(401, 'expected an API key: Authorization: Bearer <key>', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
  });
}

/** By the route that matched, so that no spelling of a path gets around it. */
export const needsKey = (route: string): boolean =>
  route.startsWith('/v1/') || route === '/metrics';

export function keyOf(request: FastifyRequest): string | null {
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

export function refuseOtherHosts({ keys, hosts }: Door, request: FastifyRequest): void {
  const refusal =
    keys.length > 0
      ? hostCountRefusal(request.raw)
      : hostRefusal(request.raw, [...hosts, ...(request.routeOptions.config.hosts ?? [])]);
  if (refusal === null) return;
  const remedy = refusal.status === 403 ? ', or API_KEYS, with which any name is answered' : '';
  throw new HttpProblem(refusal.status, `${refusal.detail}${remedy}`);
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A browser sends simple POSTs anywhere without asking; it does say from where. */
function refuseOtherOrigins({ method, headers: { origin, host } }: FastifyRequest): void {
  if (SAFE_METHODS.has(method) || origin === undefined || isOwnOrigin(origin, host)) return;
  throw new HttpProblem(
    403,
    `expected a request of this server's own page, got Origin ${JSON.stringify(origin)} and Host ${JSON.stringify(host)}; ` +
      'behind a proxy, let it pass the Host of the browser on, with its port (nginx: proxy_set_header Host $http_host;), ' +
      'and name that host in ALLOWED_HOSTS; for programs of other origins set API_KEYS.',
  );
}
