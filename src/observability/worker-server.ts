/**
 * `/healthz`, `/readyz` and `/metrics` of a worker. It listens where the API would, on a port of its own, answers the hosts that
 * the API answers, and asks for a key on `/metrics` where keys are set.
 */
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { bearerKeyOf, createKeyIndex } from '../http/bearer-keys.js';
import { COMMON_HEADERS } from '../http/common-headers.js';
import { portRefusal } from '../http/ports.js';
import { hostCountRefusal, hostRefusal } from '../http/request-host.js';

export interface Address {
  host: string;
  port: number;
}

export interface Access {
  keys: readonly string[];
  allowed_hosts: readonly string[];
}

export interface Answer {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
}

/** What is asked for, by path. */
export type Pages = Readonly<Record<string, () => Answer | Promise<Answer>>>;

export interface WorkerServer {
  close(): Promise<void>;
}

/** Milliseconds for a whole request; none has a body. */
const REQUEST_MS = 10_000;

/** Rejects with a ConfigError when the port cannot be listened on. */
export async function listen(
  { host, port }: Address,
  access: Access,
  pages: Pages,
): Promise<WorkerServer> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS });
  server.on('request', (request, response) => {
    answerTo(request, access, pages).then(
      (answer) => {
        send(request, response, answer);
      },
      () => {
        send(request, response, problem(500, 'the answer could not be made'));
      },
    );
  });
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw portRefusal(error, { variable: 'WORKER_HTTP_PORT', host, port }) ?? error;
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answerTo(request: IncomingMessage, access: Access, pages: Pages): Promise<Answer> {
  const { keys, allowed_hosts } = access;
  const refusal = keys.length > 0 ? hostCountRefusal(request) : hostRefusal(request, allowed_hosts);
  if (refusal !== null) return problem(refusal.status, refusal.detail);
  const [path = ''] = (request.url ?? '').split('?', 1);
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return problem(404, `expected ${Object.keys(pages).join(', ')}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...problem(405, 'expected GET'), headers: { allow: 'GET, HEAD' } };
  }
  if (path === '/metrics' && keys.length > 0 && !hasKey(request, keys)) {
    return {
      ...problem(401, 'expected an API key: Authorization: Bearer <key>'),
      headers: { 'www-authenticate': 'Bearer' },
    };
  }
  return page();
}

function hasKey({ headers }: IncomingMessage, keys: readonly string[]): boolean {
  const key = bearerKeyOf(headers);
  return key !== null && createKeyIndex(keys)(key) !== -1;
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, type, body, headers }: Answer,
): void {
  response.writeHead(status, {
    ...COMMON_HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}

export const json = (status: number, value: object): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

const problem = (status: number, detail: string): Answer => ({
  ...json(status, { type: 'about:blank', title: STATUS_CODES[status], status, detail, errors: [] }),
  type: 'application/problem+json',
});
