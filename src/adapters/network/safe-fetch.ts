/**
 * Fetches a URL that a plan names. The writer of the plan must not reach hosts of this machine's network through it (SSRF).
 *
 * SAFE-FETCH-1 Only http(s), never with credentials, cookies or a token; each redirect is checked like the first URL.
 * SAFE-FETCH-2 A host is resolved once. Unless it is allowed by name, all its addresses must be public, and the connection goes
 *    to one of them, so that a second answer of the DNS changes nothing.
 * SAFE-FETCH-3 Never more than `max_bytes`, never longer than `timeout` over all redirects, never slower than `rate`. The time of
 *    `visit` does not count: a wait for a slot is no fault of the host.
 */
import { lookup } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import http from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { orAborted } from '../../http/or-aborted.js';
import { deadline } from './deadline.js';
import type { Deadline } from './deadline.js';
import { meterRate } from './minimum-rate.js';
import type { MinimumRate } from './minimum-rate.js';
import { isPublicAddress } from './public-address.js';
import { retryAfter } from './retry-after.js';

export type Fetched =
  | { type: 'fetched'; bytes: Buffer; content_type: string }
  /** `final`: a retry cannot help. `retry_after`: seconds that the host asks to wait. */
  | { type: 'refused'; message: string; final: boolean; retry_after: number | null };

export interface SafeFetchOptions {
  /** `host` or `host:port` that may be loopback or private. */
  allow_hosts: readonly string[];
  signal: AbortSignal;
  /** What the URL should lead to, for messages; an image when absent. */
  expected?: string;
  max_bytes?: number;
  /** Milliseconds. */
  timeout?: number;
  rate?: MinimumRate;
  /** Awaited before each request, also of a redirect. */
  visit?: (host: string) => Promise<void>;
  /** Called for every piece of a body, also of one that is refused. */
  count?: (bytes: number) => void;
  resolve?: (host: string) => Promise<LookupAddress[]>;
}

const AN_IMAGE = 'an image';
const MAX_BYTES = 20 * 2 ** 20;
const TIMEOUT = 30_000;
const RATE: MinimumRate = { bytes: 8_192, window: 10 };
const MAX_REDIRECTS = 3;
const HEADERS = {
  accept: 'image/jpeg,image/png,image/webp;q=0.9,*/*;q=0.1',
  'accept-encoding': 'identity',
  'user-agent': 'durable-clip-generator (looks at reference images)',
};

/** Ends a fetch from within; never leaves this file. */
class Refused extends Error {
  readonly final: boolean;
  readonly retry_after: number | null;
  constructor(message: string, final = true, retryAfter: number | null = null) {
    super(message);
    this.final = final;
    this.retry_after = retryAfter;
  }
}

export async function safeFetch(from: string, options: SafeFetchOptions): Promise<Fetched> {
  const milliseconds = options.timeout ?? TIMEOUT;
  const expected = options.expected ?? AN_IMAGE;
  using late = deadline(milliseconds, options.signal);
  try {
    return await follow(from, { ...options, signal: late.signal }, late);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Refused) {
      const { message, final, retry_after } = error;
      return { type: 'refused', message, final, retry_after };
    }
    const isLate = late.signal.aborted;
    const message = isLate
      ? `expected the whole ${expected.replace(/^an? /, '')} within ${String(milliseconds / 1000)} s, got no end of it`
      : `expected ${expected}, got a broken connection (${codeOf(error)})`;
    return { type: 'refused', message, final: isLate, retry_after: null };
  }
}

async function follow(from: string, options: SafeFetchOptions, late: Deadline): Promise<Fetched> {
  const { visit } = options;
  let url = parse(from);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const { host } = url;
    if (visit !== undefined) await late.notCounting(() => visit(host));
    const response = await request(url, await addressesOf(url, options), options.signal);
    const { statusCode: status = 0, headers } = response;
    if (status < 300 || status >= 400 || headers.location === undefined) {
      return await read(response, options);
    }
    response.destroy();
    url = parse(headers.location, url);
  }
  const { expected = AN_IMAGE } = options;
  throw new Refused(`expected ${expected}, got more than ${String(MAX_REDIRECTS)} redirects`);
}

function parse(text: string, base?: URL): URL {
  const after = base === undefined ? '' : ' after a redirect';
  if (!URL.canParse(text, base?.href))
    throw new Refused(`expected an http(s) URL${after}, got none`);
  const url = new URL(text, base?.href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Refused(`expected an http(s) URL${after}, got "${url.protocol}"`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Refused(`expected a URL without a user name or password${after}`);
  }
  return url;
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

function isAllowed(url: URL, allowed: readonly string[]): boolean {
  const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
  const host = bare(url.hostname);
  const names = [host, `${host}:${port}`, url.hostname, `${url.hostname}:${port}`];
  return allowed.some((name) => names.includes(name.toLowerCase()));
}

/** SAFE-FETCH-2. The resolver itself cannot be stopped. */
async function addressesOf(url: URL, options: SafeFetchOptions): Promise<LookupAddress[]> {
  const host = bare(url.hostname);
  const family = isIP(host);
  const addresses =
    family === 0 ? await named(host, options) : [{ address: host, family } satisfies LookupAddress];
  if (isAllowed(url, options.allow_hosts)) return addresses;
  if (addresses.every(({ address }) => isPublicAddress(address))) return addresses;
  const where = family === 0 ? `${host}, which is inside a private network` : host;
  throw new Refused(
    `expected a public address, got ${where} (REFERENCE_ALLOW_HOSTS can name hosts to allow)`,
  );
}

async function named(host: string, options: SafeFetchOptions): Promise<LookupAddress[]> {
  const resolve = options.resolve ?? ((name) => lookup(name, { all: true }));
  const found = await orAborted(resolve(host), options.signal).catch((error: unknown) => {
    options.signal.throwIfAborted();
    throw new Refused(`expected a known host, got ${host} (${codeOf(error)})`, false);
  });
  if (found.length === 0) throw new Refused(`expected a known host, got ${host}`, false);
  return found;
}

/** One request, on a connection of its own, to one of the given addresses. */
function request(
  url: URL,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const known: LookupFunction = (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family ?? 4);
  };
  const { get } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: false, lookup: known, headers: HEADERS, signal });
    sent.once('response', resolve);
    // Not once: an aborted request may fail again after its response.
    sent.on('error', reject);
  });
}

async function read(
  response: IncomingMessage,
  { max_bytes = MAX_BYTES, rate = RATE, count, expected = AN_IMAGE }: SafeFetchOptions,
): Promise<Fetched> {
  using meter = meterRate(rate, (message) => {
    response.destroy(new Refused(message));
  });
  try {
    const { statusCode: status = 0, headers } = response;
    if (status !== 200) throw refusedWith(status, headers, expected);
    const announced = Number(headers['content-length'] ?? NaN);
    if (announced > max_bytes) throw tooLarge(max_bytes);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      meter.count(chunk.length);
      count?.(chunk.length);
      size += chunk.length;
      if (size > max_bytes) throw tooLarge(max_bytes);
      chunks.push(chunk);
    }
    const content_type = headers['content-type'] ?? '';
    return { type: 'fetched', bytes: Buffer.concat(chunks), content_type };
  } finally {
    response.destroy();
  }
}

function refusedWith(status: number, headers: IncomingHttpHeaders, expected: string): Refused {
  const isPassing = status >= 500 || status === 408 || status === 425 || status === 429;
  const { 'retry-after': header = null, date = null } = headers;
  const asked = { body: null, text: '', retry_after: header, date };
  const wait = isPassing ? retryAfter(asked, Date.now()) : null;
  return new Refused(`expected ${expected}, got HTTP ${String(status)}`, !isPassing, wait);
}

const tooLarge = (maxBytes: number): Refused =>
  new Refused(`expected at most ${String(Math.round(maxBytes / 2 ** 20))} MB, got more`);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
