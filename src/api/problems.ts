/**
 * Everything the API refuses, as RFC 9457 problems: one class, one error handler, one table of titles.
 *
 * PROBLEM-1 the message of a 500 may hold internals: it goes to the log, never to the client.
 * PROBLEM-2 every mistake is listed with its path; `detail` alone is enough to act on.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { StoreTrouble } from '../adapters/storage/store.js';
import { StoreAway, TemporalAway, WorkerAway } from './jobs/jobs-port.js';
import { MAX_BODY } from './load/limits.js';

export interface ProblemError {
  path: string;
  message: string;
}

export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly errors: readonly ProblemError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    more: { errors?: readonly ProblemError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

export const notFound = (detail: string): HttpProblem => new HttpProblem(404, detail);
export const conflict = (detail: string): HttpProblem => new HttpProblem(409, detail);
export const invalid = (errors: readonly ProblemError[]): HttpProblem =>
  new HttpProblem(
    400,
    errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('\n'),
    { errors },
  );
export const unavailable = (detail: string): HttpProblem =>
  new HttpProblem(503, detail, { headers: { 'retry-after': '5' } });

/** What the store keeps cannot be read or written right now. */
const isOfStore = (error: Error): boolean =>
  error instanceof StoreAway || error instanceof StoreTrouble;

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timed out',
  409: 'Conflict',
  411: 'Length required',
  413: 'Body too large',
  414: 'Path too long',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Temporarily unavailable',
};

/** Refusals of Fastify itself, worded so that the client knows what to do. */
const FASTIFY_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'expected content-type application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'expected a body that is JSON',
};

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** `instance`: the path asked for, where one could be read. */
export const problemBody = (problem: HttpProblem, instance?: string): string =>
  JSON.stringify({
    type: 'about:blank',
    title: TITLES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    instance,
    errors: problem.errors,
  });

export function sendProblem(reply: FastifyReply, problem: HttpProblem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', PROBLEM_TYPE)
    .send(problemBody(problem, reply.request.url.split('?')[0]));
}

const sized = (bytes: number): string =>
  bytes % 1024 ** 2 === 0 ? `${String(bytes / 1024 ** 2)} MiB` : `${String(bytes / 1024)} KiB`;

export function toProblem(error: FastifyError | HttpProblem, maxBody = MAX_BODY): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof TemporalAway || error instanceof WorkerAway) {
    return unavailable(`${error.message}; jobs are safe and continue by themselves`);
  }
  if (isOfStore(error)) return unavailable(error.message);
  if (hasZodFastifySchemaValidationErrors(error)) {
    return invalid(
      error.validation.map(({ instancePath, message }) => ({
        path: instancePath.replace(/^\//, '').replaceAll('/', '.'),
        message: message ?? 'not valid',
      })),
    );
  }
  const status = error.statusCode ?? 500;
  if (status >= 500 || status < 400) {
    return new HttpProblem(500, 'Something went wrong here; the log of this process says what.'); // PROBLEM-1
  }
  const detail =
    error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
      ? `expected a body of at most ${sized(maxBody)}`
      : (FASTIFY_DETAILS[error.code] ?? error.message);
  const listed = status === 400 ? [{ path: '', message: detail }] : [];
  const { headers } = error as { headers?: Record<string, string> };
  return new HttpProblem(status, detail, { errors: listed, ...(headers ? { headers } : {}) });
}

/**
 * Registers the error handler and the answer to unknown paths. Called before any route; what it returns is called after the
 * checks of keys and hosts, so that a refused client does not learn which paths exist.
 */
export function answerProblems(app: FastifyInstance): () => void {
  const known = collectRoutes(app);
  const unknownPath = ({ url, method }: FastifyRequest): HttpProblem => {
    const path = url.split('?')[0] ?? '';
    const methods = known(path);
    if (methods.length === 0) return notFound(`there is nothing at ${path}`);
    const allow = methods.join(', ');
    return new HttpProblem(405, `expected ${allow}, got ${method}`, { headers: { allow } });
  };
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply) => {
    const problem = toProblem(error, request.routeOptions.bodyLimit);
    if (problem.status === 500 || isOfStore(error)) {
      request.log.error({ err: error }, 'request failed');
    }
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, unknownPath(request)));
  return () => {
    // Before the body is read: mistakes in it do not matter where no route takes it.
    app.addHook('onRequest', async (request) => {
      if (request.is404) throw unknownPath(request);
    });
  };
}

/** Is this a path of the route, part by part? A part `:name` stands for any but an empty one. */
function leadsTo(url: string, path: string): boolean {
  const parts = path.split('/', MAX_PARTS);
  const wanted = url.split('/');
  const fits = (part: string, index: number): boolean =>
    part.startsWith(':') ? Boolean(parts[index]) : part === parts[index];
  return parts.length === wanted.length && wanted.every(fits);
}

/** More than any route has. */
const MAX_PARTS = 20;

/** The methods that are answered at a path: by the route of exactly this path, else by those with parameters. */
function collectRoutes(app: FastifyInstance): (path: string) => string[] {
  const routes: { url: string; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    routes.push({ url, methods: [method].flat() });
  });
  return (path) => {
    const exact = routes.filter(({ url }) => url === path);
    const matching = exact.length > 0 ? exact : routes.filter(({ url }) => leadsTo(url, path));
    return [...new Set(matching.flatMap(({ methods }) => methods))];
  };
}
