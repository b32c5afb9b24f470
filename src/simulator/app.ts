/**
 * The HTTP side as one Fastify instance that does not listen: hosts, credentials and rate limits at the door, bodies
 * as Replicate reads them, errors as Replicate words them. Every answer says that it is the simulator's.
 *
 * SIM-HOST-1 it has no keys, and so answers requests for this machine or an allowed host only, and no act of a page that is
 *    not its own.
 */
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { HeldBodies } from '../http/held-bodies.js';
import { hostRefusal, isOwnOrigin } from '../http/request-host.js';
import { controlRoutes } from './control.js';
import type { Core } from './core.js';
import { pageRoutes } from './html-pages.js';
import { PROBLEMS, badRequest, tooManyRequests, type Answer } from './refusals.js';
import { catalogueRoutes } from './routes/catalogue.js';
import { deliveryRoutes } from './routes/delivery.js';
import { fileRoutes } from './routes/files.js';
import { predictionRoutes } from './routes/predictions.js';
import { sampleRoutes } from './samples.js';
import { SIMULATOR_HEADER } from './exchange.js';

const MAX_JSON_BYTES = 10 * 1024 * 1024;

/** Of all bodies that are coming in; an uploaded file alone may have 100 MiB. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;

/** Milliseconds until the last byte of a request has come, of its headers, and between two looks. */
const REQUEST = 60_000;
const HEADERS = 15_000;
const LOOK = 1_000;

export interface AppOptions {
  /** As `host` or `host:port`, besides this machine. */
  hosts?: readonly string[];
  /** Others than the limits above. */
  limits?: { held?: number; request_ms?: number; headers_ms?: number; check_ms?: number };
}

export function buildApp(
  core: Core,
  { hosts = [], limits = {} }: AppOptions = {},
): FastifyInstance {
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: MAX_JSON_BYTES,
    requestTimeout: limits.request_ms ?? REQUEST,
    http: {
      headersTimeout: limits.headers_ms ?? HEADERS,
      connectionsCheckingInterval: limits.check_ms ?? LOOK,
    },
    // Requests that hang or are held on purpose must not keep the simulator from ending.
    forceCloseConnections: true,
  });
  // A body is optional where the real API has one without looking, as in canceling.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch {
      done(Object.assign(new Error('Request body is not valid JSON'), { statusCode: 400 }));
    }
  });
  const bodies = new HeldBodies(limits.held ?? MAX_HELD_BYTES, () =>
    Object.assign(new Error('too many bodies are coming in'), { statusCode: 503 }),
  );
  app.addHook('preParsing', async (_request, { raw }, payload) => bodies.count(payload, raw));
  refuseOtherPlaces(app, hosts);
  door(app, core);
  errors(app, core);
  for (const routes of [
    predictionRoutes,
    catalogueRoutes,
    fileRoutes,
    deliveryRoutes,
    controlRoutes,
    sampleRoutes,
    pageRoutes,
  ]) {
    routes(app, core);
  }
  return app;
}

/** SIM-HOST-1. */
function refuseOtherPlaces(app: FastifyInstance, hosts: readonly string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header(SIMULATOR_HEADER, 'true');
    const { origin, host } = request.headers;
    const isAct = request.method !== 'GET' && request.method !== 'HEAD';
    const refusal =
      hostRefusal(request.raw, hosts) ??
      (isAct && origin !== undefined && !isOwnOrigin(origin, host) ? FOREIGN_PAGE : null);
    if (refusal === null) return undefined;
    const { status, headers, body } = badRequest(refusal.status, `simulator: ${refusal.detail}`);
    return reply.code(status).headers(headers).send(body);
  });
}

const FOREIGN_PAGE = {
  status: 403,
  detail: 'expected a request of a program or of its own page, got one of a page elsewhere',
};

const isCreate = ({ method, routeOptions }: FastifyRequest): boolean =>
  method === 'POST' && (routeOptions.url ?? '').endsWith('/predictions');

function door(app: FastifyInstance, core: Core): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('date', new Date(core.now() + core.settings.clock_offset_ms).toUTCString());
    if (!request.url.startsWith('/v1/')) return;
    if (request.method === 'GET') core.counters.read(request.routeOptions.url ?? 'unknown');
    const refuse = (answer: Answer): unknown => {
      core.counters.reject(answer.status);
      if (isCreate(request)) core.counters.create_requests += 1;
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    };
    const hasToken = /^(Bearer|Token) +\S/i.test(request.headers.authorization ?? '');
    if (!hasToken || core.settings.token_revoked) {
      return refuse(PROBLEMS.unauthenticated);
    }
    const kind = isCreate(request) ? 'create' : 'other';
    const admission = core.limits.take(kind, core.settings, core.now());
    if (admission.admitted) {
      void reply.header('ratelimit-remaining', admission.remaining).header('ratelimit-reset', 60);
      return undefined;
    }
    const lowCredit = kind === 'create' && core.settings.low_credit;
    return refuse(tooManyRequests[lowCredit ? 'low_credit' : 'body'](admission.wait));
  });
}

function errors(app: FastifyInstance, core: Core): void {
  app.setNotFoundHandler((_request, reply) => {
    const { status, headers, body } = PROBLEMS.not_found;
    return reply.code(status).headers(headers).send(body);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      core.log(`simulator: ${request.method} ${request.url}: ${String(error.stack)}`);
    const answer =
      status === 413
        ? PROBLEMS.file_too_large
        : status >= 500
          ? PROBLEMS.internal
          : badRequest(status, error.message);
    core.counters.reject(answer.status);
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
}
