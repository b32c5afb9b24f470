/**
 * Addresses of a job's files for what cannot send a key, elements and links: with a token of that job, which opens its files for
 * some minutes. What is fetched takes the address as it is, and sends the key as a header.
 *
 * LINK-1 no address holds the key.
 * LINK-2 a link in the document has another token before its own expires, also after the machine has slept.
 */
import { api } from './api-client.js';
import { storedKey } from './api-key.js';
import { below } from './base.js';
import { now } from './clock.js';
import { attribute } from './dom.js';

interface Token {
  /** Null: the server asks for no keys. */
  token: string | null;
  /** By this browser's own clock, right or wrong; milliseconds. */
  renew_at: number;
}

/** Before its end, so that a link is good for some minutes when it is copied. */
const MARGIN = 5 * 60_000;
const LOOK = 30_000;

const tokens = new Map<string, Token>();
const asked = new Map<string, Promise<Token | null>>();

/** Anchors of a job that was left are collected with it. */
const anchors = new Set<WeakRef<HTMLAnchorElement>>();
const addresses = new WeakMap<HTMLAnchorElement, string>();
let isLooking = false;

/** As an element can load it. Without an answer of the server, the address as it is. */
export async function linkTo(url: string): Promise<string> {
  const ready = linkNow(url);
  if (ready !== null) return ready;
  const token = await tokenOf(jobIn(url));
  return withToken(url, token?.token ?? null);
}

/** Keeps the anchor's address good for as long as it is in the document; null takes it away. */
export function keepLink(anchor: HTMLAnchorElement, url: string | null): void {
  const before = addresses.get(anchor);
  if (url === null) {
    addresses.delete(anchor);
    attribute(anchor, 'href', null);
    return;
  }
  if (before === url) return;
  if (before === undefined) anchors.add(new WeakRef(anchor));
  addresses.set(anchor, url);
  void write(anchor, url);
  lookAgain();
}

async function write(anchor: HTMLAnchorElement, url: string): Promise<void> {
  const link = linkNow(url) ?? (await linkTo(url));
  if (addresses.get(anchor) === url) attribute(anchor, 'href', link);
}

/** LINK-2. */
function lookAgain(): void {
  if (isLooking) return;
  isLooking = true;
  const look = (): void => {
    for (const kept of anchors) {
      const anchor = kept.deref();
      const url = anchor === undefined ? undefined : addresses.get(anchor);
      if (anchor === undefined || url === undefined) anchors.delete(kept);
      else if (anchor.isConnected) void write(anchor, url);
    }
  };
  setInterval(look, LOOK);
  document.addEventListener('visibilitychange', look);
}

/** Null when a token has to be asked for first. */
function linkNow(url: string): string | null {
  if (storedKey() === null) return url;
  const known = tokens.get(jobIn(url));
  return known !== undefined && Date.now() < known.renew_at ? withToken(url, known.token) : null;
}

/** One question at a time for a job, however many links wait for it. */
function tokenOf(jobId: string): Promise<Token | null> {
  const before = asked.get(jobId);
  if (before !== undefined) return before;
  const asking = ask(jobId).finally(() => asked.delete(jobId));
  asked.set(jobId, asking);
  return asking;
}

async function ask(jobId: string): Promise<Token | null> {
  const answer = await api.token(jobId);
  if (!answer.ok) return tokens.get(jobId) ?? null;
  const { token, expires_at } = answer.value;
  const lifetime = expires_at === null ? Infinity : Date.parse(expires_at) - now();
  const made = { token, renew_at: Date.now() + lifetime - MARGIN };
  tokens.set(jobId, made);
  return made;
}

/** `/v1/jobs/<job_id>/…`. */
const jobIn = (url: string): string => decodeURIComponent(below(url)?.split('/')[3] ?? '');

function withToken(address: string, token: string | null): string {
  if (token === null) return address;
  const url = new URL(address);
  url.searchParams.set('token', token);
  return url.href;
}
