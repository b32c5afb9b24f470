/**
 * Is a webhook Replicate's own? HMAC-SHA256 over `id.timestamp.body`, compared in constant time, within a window
 * of time. The client's own check has no window and parses before it verifies, hence this one.
 * Source: Replicate's documentation, "Verify webhooks".
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds by which a timestamp may be off, either way. */
const TOLERANCE = 300;

export interface SignedWebhook {
  id: string | undefined;
  timestamp: string | undefined;
  /** Space-separated `v1,<base64>`. */
  signature: string | undefined;
  /** The raw bytes, before any parsing. */
  body: string | Uint8Array;
}

type Timely = SignedWebhook & Record<'id' | 'timestamp' | 'signature', string>;

/** Everything but the signature is as it has to be: nothing else is worth a look at the secret. */
export function isTimely(webhook: SignedWebhook, now = Date.now()): webhook is Timely {
  const { id, timestamp, signature } = webhook;
  if (!id || !timestamp || !signature || !/^\d+$/.test(timestamp)) return false;
  return Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE;
}

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
