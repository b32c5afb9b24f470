/**
 * Downloads a provider's output: only from where outputs come from, never more than the cap, and only
 * something that says it is a video. Redirects are followed by hand so that each hop is checked again.
 */
import { createHash } from 'node:crypto';
import type { WriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type Downloaded =
  | { type: 'done'; bytes: number; sha256: string }
  /** `final`: trying again cannot help. */
  | { type: 'failed'; kind: 'output_lost' | 'storage_error'; message: string; final: boolean };

export interface DownloadOptions {
  /** Origin of the provider's API: the only one that is sent the token. */
  provider_origin: string;
  token: string;
  signal: AbortSignal;
  fetch?: typeof fetch;
  max_bytes?: number;
  /** Milliseconds without a byte. */
  idle?: number;
}

const MAX_BYTES = 512 * 2 ** 20;
const IDLE = 20_000;
const MAX_REDIRECTS = 3;

/** `replicate.delivery`, its subdomains, and the host and port of the API. */
export function mayHoldOutputs(url: URL, providerOrigin: string): boolean {
  if (url.origin === providerOrigin) return true;
  const host = url.hostname.toLowerCase();
  return (
    url.protocol === 'https:' &&
    url.port === '' &&
    (host === 'replicate.delivery' || host.endsWith('.replicate.delivery'))
  );
}

const lost = (message: string, final = false): Downloaded => ({
  type: 'failed',
  kind: 'output_lost',
  message,
  final,
});

export async function download(
  from: string,
  to: WriteStream,
  options: DownloadOptions,
): Promise<Downloaded> {
  // A stream nobody listens to yet would take the process down with it; `pipeline` reports what is wrong.
  to.on('error', () => undefined);
  const idle = new AbortController();
  const timer = setTimeout(() => {
    idle.abort();
  }, options.idle ?? IDLE);
  const signal = AbortSignal.any([options.signal, idle.signal]);
  try {
    const response = await request(from, options, signal);
    if (!(response instanceof Response)) return response;
    return await save(response, to, { maxBytes: options.max_bytes ?? MAX_BYTES, timer, signal });
  } catch (error) {
    options.signal.throwIfAborted();
    if (isStorageError(error)) {
      const message = `cannot write the file: ${error.message}`;
      return { type: 'failed', kind: 'storage_error', message, final: false };
    }
    return lost(
      idle.signal.aborted ? 'the download stalled' : `the download broke off: ${words(error)}`,
    );
  } finally {
    clearTimeout(timer);
    to.destroy();
  }
}

async function request(
  from: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Response | Downloaded> {
  let address = from;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    if (!URL.canParse(address)) return lost('expected a URL of a file, got something else', true);
    const url = new URL(address);
    if (!mayHoldOutputs(url, options.provider_origin)) {
      return lost(
        `expected a file at replicate.delivery, refused to fetch from ${url.host}`,
        hop === 0,
      );
    }
    const response = await (options.fetch ?? fetch)(url, {
      signal,
      redirect: 'manual',
      headers:
        url.origin === options.provider_origin ? { authorization: `Bearer ${options.token}` } : {},
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null)
      return check(response);
    await response.body?.cancel();
    address = URL.canParse(location, url.href) ? new URL(location, url.href).href : location;
  }
  return lost('too many redirects');
}

function check(response: Response): Response | Downloaded {
  if (response.status !== 200)
    return lost(`expected the file, got HTTP ${String(response.status)}`);
  const type = response.headers.get('content-type') ?? '';
  if (/^text\/|json|html/i.test(type)) return lost(`expected a video, got ${type}`);
  return response;
}

async function save(
  response: Response,
  to: WriteStream,
  limits: { maxBytes: number; timer: NodeJS.Timeout; signal: AbortSignal },
): Promise<Downloaded> {
  const { maxBytes, timer, signal } = limits;
  const announced = Number(response.headers.get('content-length') ?? NaN);
  if (announced > maxBytes) {
    await response.body?.cancel();
    return lost(`expected at most ${String(maxBytes)} bytes, the file has ${String(announced)}`);
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh();
      bytes += chunk.length;
      hash.update(chunk);
      done(
        bytes > maxBytes ? new Error(`the file exceeds ${String(maxBytes)} bytes`) : null,
        chunk,
      );
    },
  });
  if (response.body === null) return lost('expected a file, got an empty answer');
  await pipeline(Readable.fromWeb(response.body), meter, to, { signal });
  if (Number.isFinite(announced) && bytes !== announced) {
    return lost(`expected ${String(announced)} bytes, got ${String(bytes)}`);
  }
  return { type: 'done', bytes, sha256: hash.digest('hex') };
}

const STORAGE_CODES = new Set(['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT', 'EIO', 'ENOENT', 'EPERM']);
const isStorageError = (error: unknown): error is Error =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  STORAGE_CODES.has(error.code);

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
