/**
 * Downloads a provider's output: only from the hosts of outputs, never more than the cap, and only a video by its bytes.
 * Redirects are followed by hand so that each hop is checked again. What a later download cannot change is final: a file of
 * another kind, and one that is too large. A text instead of a file may come from a proxy in trouble, so it is tried again;
 * where the same answer comes again and again, the caller gives up.
 */
import { createHash } from 'node:crypto';
import type { WriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorMessage } from '../../domain/values/error-message.js';
import { kindOf } from '../media/file-kind.js';
import type { FileFamily } from '../media/file-kind.js';
import { decodeInline } from '../network/data-url.js';
import { meterRate } from '../network/minimum-rate.js';
import type { MinimumRate } from '../network/minimum-rate.js';
import { isInline } from './prediction-output.js';

export type Downloaded =
  | { type: 'done'; bytes: number; sha256: string }
  /**
   * `final`: trying again cannot help. `answered`: an answer came, and the message is the same for the same answer; absent
   * where no answer came, where the host says that it is in trouble, and for failures of this machine.
   */
  | { type: 'failed'; kind: DownloadFailure; message: string; final: boolean; answered?: true };

/** `no_output`: a whole file came, and it is no video that can be kept. */
type DownloadFailure = 'no_output' | 'output_lost' | 'storage_error';

export interface DownloadOptions {
  /** Origin of the provider's API: the only one that is sent the token. */
  provider_origin: string;
  token: string;
  signal: AbortSignal;
  fetch?: typeof fetch;
  /** Of the file as it is kept; 512 MiB when absent. */
  max_bytes?: number;
  /** Milliseconds without a byte; 20 s when absent. */
  idle?: number;
  /** Milliseconds in all; 30 min when absent. */
  overall?: number;
  /** Of the body; 32 KiB a second over 60 s when absent. */
  rate?: MinimumRate;
}

const MAX_BYTES = 512 * 2 ** 20;
const IDLE = 20_000;
/** Enough for 512 MiB over a line of 2.5 Mbit/s. */
const OVERALL = 30 * 60_000;
/** Low enough for a slow line that many downloads share; a slower sender holds its slot for a minute at most. */
const RATE: MinimumRate = { bytes: 32_768, window: 60 };
/** A file that the prediction itself holds is not downloaded. */
const ANY_RATE: MinimumRate = { bytes: 0, window: 60 };
const MAX_REDIRECTS = 3;
/** Bytes of a file's beginning, by which its kind is told. */
const HEAD = 4096;

/** Formats that can be measured and played; all of them consist of boxes (ISO/IEC 14496-12). */
const VIDEO_FORMATS = new Set(['mp4', 'mov', '3gp']);
/** A file of one of these families is what the model made; a text or an unknown file may be a fault of the delivery. */
const OTHER_KINDS = new Set<FileFamily>(['video', 'image', 'audio', 'document', 'archive']);

/** End a download from within; they never leave this file. */
class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

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

type Failed = Extract<Downloaded, { type: 'failed' }>;
const lost = (message: string, final = false): Failed => ({
  type: 'failed',
  kind: 'output_lost',
  message,
  final,
});
/** An answer came that is not the file. */
const answered = (message: string): Failed => ({ ...lost(message), answered: true });

export async function download(
  from: string,
  to: WriteStream,
  options: DownloadOptions,
): Promise<Downloaded> {
  // An error of a stream without a listener ends the process; `pipeline` reports it.
  to.on('error', () => undefined);
  const { idle = IDLE, overall = OVERALL } = options;
  const stop = new AbortController();
  const slow = (message: string) => (): void => {
    stop.abort(new TooSlow(message));
  };
  const silence = setTimeout(slow('the download stalled'), idle);
  const end = setTimeout(
    slow(`the download stalled: expected all of the file within ${seconds(overall)} s`),
    overall,
  );
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let bytes = 0;
  try {
    const isHeld = isInline(from);
    const response = isHeld ? inline(from, options) : await request(from, options, signal);
    if (!(response instanceof Response)) return response;
    using meter = meterRate(isHeld ? ANY_RATE : (options.rate ?? RATE), (message) => {
      stop.abort(new TooSlow(`the download stalled: ${message}`));
    });
    const came = (length: number): void => {
      bytes += length;
      silence.refresh();
      meter.count(length);
    };
    return await save(response, to, { maxBytes: options.max_bytes ?? MAX_BYTES, came, signal });
  } catch (error) {
    options.signal.throwIfAborted();
    // From Node 22 on, `pipeline` has an error of its own for a file that had failed before.
    const unwritten = [error, to.errored].find(isStorageError);
    if (unwritten !== undefined) {
      const message = `cannot write the file: ${unwritten.message}`;
      return { type: 'failed', kind: 'storage_error', message, final: false };
    }
    if (error instanceof TooLarge) return lost(error.message, true);
    if (stop.signal.reason instanceof TooSlow) return lost(stop.signal.reason.message);
    const message = `the download broke off: ${messageOf(error)}`;
    // A file that ends at the same byte each time, or headers without an end, will not get any better.
    if (bytes > 0) return answered(`${message} (after ${String(bytes)} bytes)`);
    return codeOf(error) === 'UND_ERR_HEADERS_OVERFLOW' ? answered(message) : lost(message);
  } finally {
    clearTimeout(silence);
    clearTimeout(end);
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
    if (!URL.canParse(address)) {
      const message = 'expected a URL of a file, got something else';
      return hop === 0 ? lost(message, true) : answered(message);
    }
    const url = new URL(address);
    if (!mayHoldOutputs(url, options.provider_origin)) {
      const message = `expected a file at replicate.delivery, refused to fetch from ${url.host}`;
      return hop === 0 ? lost(message, true) : answered(message);
    }
    const response = await (options.fetch ?? fetch)(url, {
      signal,
      redirect: 'manual',
      headers: {
        'accept-encoding': 'identity',
        ...(url.origin === options.provider_origin
          ? { authorization: `Bearer ${options.token}` }
          : {}),
      },
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null)
      return check(response);
    await response.body?.cancel();
    address = URL.canParse(location, url.href) ? new URL(location, url.href).href : location;
  }
  return answered(`expected a file, got more than ${String(MAX_REDIRECTS)} redirects`);
}

/** Decoded, not fetched; a redirect to one is refused like any other address. */
function inline(
  from: string,
  { max_bytes: most = MAX_BYTES }: DownloadOptions,
): Response | Downloaded {
  const decoded = decodeInline(from, most);
  return decoded.type === 'decoded' ? decoded.response : lost(decoded.message, true);
}

/** The host is in trouble, or the file is not there yet: another try may help. Other statuses are answers. */
const mayPass = (status: number): boolean => status >= 400 && status !== 410;

function check(response: Response): Response | Downloaded {
  const { status, headers } = response;
  if (status !== 200) {
    const message = `expected the file, got HTTP ${String(status)}`;
    return mayPass(status) ? lost(message) : answered(message);
  }
  const type = headers.get('content-type') ?? '';
  if (/^text\/|json|html/i.test(type)) return answered(`expected a video, got ${type}`);
  return response;
}

async function save(
  response: Response,
  to: WriteStream,
  limits: { maxBytes: number; came: (bytes: number) => void; signal: AbortSignal },
): Promise<Downloaded> {
  const { maxBytes, came, signal } = limits;
  const announced = lengthOf(response);
  if (announced !== null && announced > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(maxBytes, `the file has ${String(announced)}`);
  }
  if (response.body === null) return answered('expected a file, got an empty answer');
  const hash = createHash('sha256');
  let bytes = 0;
  let head = Buffer.alloc(0);
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      came(chunk.length);
      if (bytes < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - bytes)]);
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > maxBytes ? tooLarge(maxBytes, 'more came') : null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), meter, to, { signal });
  if (!isEncoded(response) && announced !== null && bytes !== announced) {
    return answered(`expected ${String(announced)} bytes, got ${String(bytes)}`);
  }
  return (
    otherKind(head, isEncoded(response)) ?? { type: 'done', bytes, sha256: hash.digest('hex') }
  );
}

const tooLarge = (maxBytes: number, came: string): TooLarge =>
  new TooLarge(`expected at most ${String(maxBytes)} bytes, ${came}`);

/** RFC 9110, 8.6: digits; anything else announces nothing. */
function lengthOf(response: Response): number | null {
  const header = response.headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(header) ? Number(header) : null;
}

/** `fetch` decodes an encoded answer, so its announced length is not the file's. */
function isEncoded(response: Response): boolean {
  const coding = (response.headers.get('content-encoding') ?? '').trim().toLowerCase();
  return coding !== '' && coding !== 'identity';
}

/** Null: a video, or a file that only measuring can tell. An archive may be an encoding that `fetch` does not know. */
function otherKind(head: Buffer, wasEncoded: boolean): Downloaded | null {
  const { family, format, name } = kindOf(head);
  const message = `expected an MP4 video, got ${name}`;
  if (family === 'text') return answered(message);
  if (!OTHER_KINDS.has(family) || VIDEO_FORMATS.has(format)) return null;
  if (family === 'archive' && wasEncoded) return answered(message);
  return { type: 'failed', kind: 'no_output', message, final: true };
}

const STORAGE_CODES = new Set(['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT', 'EIO', 'ENOENT', 'EPERM']);
const isStorageError = (error: unknown): error is Error =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  STORAGE_CODES.has(error.code);

const seconds = (milliseconds: number): string => String(milliseconds / 1_000);

/** Of the innermost error that has one. */
function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  return codeOf(error.cause) ?? ('code' in error ? error.code : undefined);
}

/** `fetch` says what is wrong in the cause. */
const messageOf = (error: unknown): string =>
  errorMessage(error instanceof Error && error.cause instanceof Error ? error.cause : error);
