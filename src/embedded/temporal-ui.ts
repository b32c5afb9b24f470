/**
 * A proxy in front of Temporal's Web UI. The UI asks for no key and checks no `Host`, so a page of another origin whose name
 * resolves to this machine (DNS rebinding) could start and end workflows through it. Browsers reach the UI only through this
 * proxy; the UI itself listens on an address that a page cannot find.
 *
 * WEB-UI-1 A request is forwarded only when its host is this machine or an allowed one; one that changes something only when it
 *    comes from the UI's own page or from a program.
 */
import { randomInt } from 'node:crypto';
import { createServer, request as send } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { portRefusal } from '../http/ports.js';
import { hostRefusal, isOwnOrigin } from '../http/request-host.js';

export interface HostAndPort {
  host: string;
  port: number;
}

interface Refusal {
  status: number;
  detail: string;
}

interface WebUiProxy {
  close(): Promise<void>;
}

/**
 * Where the UI itself listens: one of the 16 million loopback addresses of Linux. On other systems only 127.0.0.1 answers, and
 * the random port has to be enough.
 */
export const hiddenLoopback = (platform: NodeJS.Platform = process.platform): string =>
  platform === 'linux'
    ? `127.${[randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.')}`
    : '127.0.0.1';

/** Listens at once; rejects with a ConfigError that names TEMPORAL_UI_PORT when it cannot. */
export async function startWebUiProxy(
  at: HostAndPort,
  upstream: HostAndPort,
  allowedHosts: readonly string[],
): Promise<WebUiProxy> {
  const server = createServer((request, response) => {
    const refusal = refusalOf(request, allowedHosts);
    if (refusal === null) void forward(request, response, upstream);
    else answer(response, refusal.status, refusal.detail);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(portRefusal(error, { variable: 'TEMPORAL_UI_PORT', ...at }) ?? error);
    });
    server.listen({ ...at, exclusive: true }, resolve);
  });
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

/** WEB-UI-1. Null: the request is forwarded. */
function refusalOf(request: IncomingMessage, allowedHosts: readonly string[]): Refusal | null {
  const { method, headers } = request;
  const isChange = method !== 'GET' && method !== 'HEAD';
  const isForeign = headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host);
  return (
    hostRefusal(request, allowedHosts) ??
    (isChange && isForeign ? { status: 403, detail: 'expected a request of its own page' } : null)
  );
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { host, port }: HostAndPort,
): Promise<void> {
  const { method, url: path, headers } = request;
  try {
    const forwarded = send({ host, port, method, path, headers, agent: false });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      forwarded.once('response', resolve);
      forwarded.on('error', reject);
    });
    const sent = pipeline(request, forwarded).catch(() => undefined);
    const upstream = await answered;
    response.writeHead(upstream.statusCode ?? 502, upstream.headers);
    await pipeline(upstream, response);
    await sent;
  } catch {
    if (response.headersSent) response.destroy();
    else
      answer(response, 502, "Temporal's Web UI does not answer; the server may be starting again");
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
