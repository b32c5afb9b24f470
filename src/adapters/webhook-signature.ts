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

/** `secret` as Replicate gives it: `whsec_…`. */
export function isAuthentic(webhook: SignedWebhook, secret: string, now = Date.now()): boolean {
  const { id, timestamp, signature, body } = webhook;
  if (!id || !timestamp || !signature || !/^\d+$/.test(timestamp)) return false;
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  return signature.split(' ').some((part) => {
    const [version, value = ''] = part.split(',');
    const given = Buffer.from(value, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
