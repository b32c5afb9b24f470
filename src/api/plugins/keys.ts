/**
 * Which requests are answered. With keys: those with a bearer key, on `/v1/*`, `/codec/*` and `/metrics`. Without: those for this machine
 * or an allowed host, on every route, and no change through a page of another origin. Keys are compared in constant time and
 * never logged.
 *
 * KEYS-1 a key or token in the query is taken by some routes that read, and by none that changes anything.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerKeyOf, createKeyIndex } from '../../http/bearer-keys.js';
import { hostCountRefusal, hostRefusal, isOwnOrigin } from '../../http/request-host.js';
import type { MediaTokens } from './media-tokens.js';
import { HttpProblem } from '../problems.js';
import { isNamedOrigin } from './origins.js';
import type { WrongKeys } from './wrong-keys.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `?token=` and `?api_key=` are taken too: elements of a page cannot send headers. */
    keyInQuery?: boolean;
    /** Requests for these hosts are answered too where no keys are set: the route has a check of its own. */
    hosts?: readonly string[];
  }
  interface FastifyRequest {
    /** Index of the API key that the request came with. */
    askedWith: number | null;
  }
}

export interface AccessRules {
  keys: readonly string[];
  /** `host` or `host:port`, in addition to this machine. */
  hosts: readonly string[];
}

interface Checks {
  tokens: MediaTokens;
  wrongKeys: WrongKeys;
}

export function guard(app: FastifyInstance, access: AccessRules, checks: Checks): void {
  const indexOfKey = createKeyIndex(access.keys);
  app.decorateRequest('askedWith', null);
  app.addHook('onRequest', async (request) => {
    refuseOtherHosts(access, request);
    if (access.keys.length === 0) refuseOtherOrigins(request);
    // A browser asks without a key whether it may ask with one (CORS).
    else if (request.method !== 'OPTIONS' && needsKey(request.routeOptions.url ?? ''))
      await admit(request, indexOfKey, checks);
  });
}

async function admit(
  request: FastifyRequest,
  indexOfKey: (key: string) => number,
  checks: Checks,
): Promise<void> {
  const { key, token } = credentialsOf(request);
  const found = key === null ? -1 : indexOfKey(key);
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

/** By the route that matched, so that no spelling of a path avoids the check. */
export const needsKey = (route: string): boolean =>
  route.startsWith('/v1/') || route.startsWith('/codec/') || route === '/metrics';

interface Credentials {
  key: string | null;
  token: string | null;
}

function credentialsOf(request: FastifyRequest): Credentials {
  const { api_key, token } = request.query as { api_key?: unknown; token?: unknown };
  const isTaken = request.routeOptions.config.keyInQuery === true; // KEYS-1
  const inQuery = (value: unknown): string | null =>
    isTaken && typeof value === 'string' ? value : null;
  return { key: bearerKeyOf(request.headers) ?? inQuery(api_key), token: inQuery(token) };
}

export function refuseOtherHosts({ keys, hosts }: AccessRules, request: FastifyRequest): void {
  const refusal =
    keys.length > 0
      ? hostCountRefusal(request.raw)
      : hostRefusal(request.raw, [...hosts, ...(request.routeOptions.config.hosts ?? [])]);
  if (refusal === null) return;
  const remedy = refusal.status === 403 ? ', or API_KEYS, with which any name is answered' : '';
  throw new HttpProblem(refusal.status, `${refusal.detail}${remedy}`);
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A browser sends simple POSTs to any origin without a preflight, with the Origin of the page. */
function refuseOtherOrigins(request: FastifyRequest): void {
  if (isNamedOrigin(request)) return;
  const {
    method,
    headers: { origin, host },
  } = request;
  if (SAFE_METHODS.has(method) || origin === undefined || isOwnOrigin(origin, host)) return;
  throw new HttpProblem(
    403,
    `expected a request of this server's own page, got Origin ${JSON.stringify(origin)} and Host ${JSON.stringify(host)}; ` +
      'behind a proxy, let it pass the Host of the browser on, with its port (nginx: proxy_set_header Host $http_host;), ' +
      'and name that host in ALLOWED_HOSTS; for programs of other origins set API_KEYS.',
  );
}
