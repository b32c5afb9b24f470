/**
 * Who may ask. Where keys are set: bearer keys on `/v1/*` and `/metrics`. Where none are: only requests for this
 * machine or an allowed host, on every route, and no act through a page of another origin. Keys are compared in
 * constant time and never logged.
 *
 * K1 what a query can open is read, never done: routes that say so take a key or a job's token there.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hostCountRefusal, hostRefusal, isOwnOrigin } from '../../http/request-host.js';
import type { MediaTokens } from './media-tokens.js';
import { HttpProblem } from '../problems.js';
import type { WrongKeys } from './wrong-keys.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Elements of a page cannot send headers: `?token=` and `?api_key=` are taken here as well. */
    keyInQuery?: boolean;
    /** Answered for these hosts too where no keys are set: the route has a guard of its own. */
    hosts?: readonly string[];
  }
  interface FastifyRequest {
    /** Which of the API keys the request came with, by its place among them. */
    askedWith: number | null;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface Door {
  keys: readonly string[];
  /** `host` or `host:port`, besides this machine. */
  hosts: readonly string[];
}

interface Checks {
  tokens: MediaTokens;
  wrongKeys: WrongKeys;
}

export function guard(app: FastifyInstance, door: Door, checks: Checks): void {
  const digests = door.keys.map(digest);
  app.decorateRequest('askedWith', null);
  app.addHook('onRequest', async (request) => {
    refuseOtherHosts(door, request);
    if (door.keys.length === 0) refuseOtherOrigins(request);
    else if (needsKey(request.routeOptions.url ?? '')) await admit(request, digests, checks);
  });
}

async function admit(
  request: FastifyRequest,
  digests: readonly Buffer[],
  checks: Checks,
): Promise<void> {
  const { key, token } = credentialsOf(request);
  const found = key === null ? -1 : placeOf(digests, key);
  if (found !== -1) {
    request.askedWith = found;
    return;
  }
  const { job_id = '' } = request.params as { job_id?: string };
  const verdict = token === null ? null : checks.tokens.check(token, job_id);
  if (verdict === 'good') return;
  const isGuess = key !== null || verdict === 'wrong';
  const wait = isGuess ? checks.wrongKeys.count(request.ip) : null;
  const later = wait === null ? {} : { 'retry-after': String(wait) };
  if (wait !== null && !(await checks.wrongKeys.slow(request.ip))) {
    throw new HttpProblem(
      429,
      'expected fewer wrong keys at a time from one address; use a right one',
      {
        headers: later,
      },
    );
  }
  const detail =
    verdict === 'expired'
      ? 'expected a token that has not expired; ask for another'
      : 'expected an API key: Authorization: Bearer <key>';
  throw new HttpProblem(401, detail, { headers: { 'www-authenticate': 'Bearer', ...later } });
}

/** By the route that matched, so that no spelling of a path gets around it. */
export const needsKey = (route: string): boolean =>
  route.startsWith('/v1/') || route === '/metrics';

interface Credentials {
  key: string | null;
  token: string | null;
}

function credentialsOf(request: FastifyRequest): Credentials {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  const { api_key, token } = request.query as { api_key?: unknown; token?: unknown };
  const isTaken = request.routeOptions.config.keyInQuery === true; // K1
  const inQuery = (value: unknown): string | null =>
    isTaken && typeof value === 'string' ? value : null;
  return { key: bearer ?? inQuery(api_key), token: inQuery(token) };
}

/** -1 for none. Every key is compared, so that time tells nothing of which one came close. */
function placeOf(digests: readonly Buffer[], key: string): number {
  const given = digest(key);
  return digests.map((known) => timingSafeEqual(known, given)).indexOf(true);
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
