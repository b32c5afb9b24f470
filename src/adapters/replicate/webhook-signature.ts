/**
 * Is a webhook Replicate's own? HMAC-SHA256 over `id.timestamp.body`, compared in constant time, within a window
 * of time. The client's own check has no window and parses before it verifies, hence this one.
 * Source: Replicate's documentation, "Verify webhooks".
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds by which a timestamp may be off, either way. */
const TOLERANCE = 300;

const LONGEST_SIGNATURE = 1_024;

export interface WebhookHeaders {
  id: string | undefined;
  timestamp: string | undefined;
  /** Space-separated `v1,<base64>`. */
  signature: string | undefined;
}

export interface SignedWebhook extends WebhookHeaders {
  /** The raw bytes, before any parsing. */
  body: string | Uint8Array;
}

type Timely = Record<'id' | 'timestamp' | 'signature', string>;

/** Everything but the signature is right. Any other webhook is refused before the secret is fetched. */
export function isTimely<Webhook extends WebhookHeaders>(
  webhook: Webhook,
  now = Date.now(),
): webhook is Webhook & Timely {
  const { id, timestamp, signature } = webhook;
  if (!id || !timestamp || !signature || !/^\d+$/.test(timestamp)) return false;
  return Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE;
}

/** A SHA-256 is 32 bytes, 44 characters in base64; while a secret is exchanged, a webhook has two of them. */
export const isSignature = (signature: string): boolean =>
  signature.length <= LONGEST_SIGNATURE &&
  signature.split(' ').some((part) => /^v1,[A-Za-z0-9+/]{43}=$/.test(part));

/** `secret` as Replicate gives it: `whsec_…`. */
export function isAuthentic(webhook: SignedWebhook, secret: string, now = Date.now()): boolean {
  if (!isTimely(webhook, now)) return false;
  const { id, timestamp, signature, body } = webhook;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length === 0) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  return signature.split(' ').some((part) => {
    const [version, value = ''] = part.split(',');
    const given = Buffer.from(value, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
