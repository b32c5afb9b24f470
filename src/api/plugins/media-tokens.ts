/**
 * Tokens for what cannot send headers: elements of a page, players, and links that are handed on. A token opens the files
 * and events of one job, by reading, until it expires.
 *
 * M1 nothing is stored: a token is its expiry and a seal over that and the job, by a key derived from the API key that asked.
 *    Every process with that API key opens it; where the key is taken back, its tokens are worth nothing.
 */
import { createHmac } from 'node:crypto';
import { isSameSecret } from '../constant-time.js';

export interface MediaToken {
  token: string;
  /** ISO 8601. */
  expires_at: string;
}

/** `wrong`: made by none of the keys, or for another job. */
export type TokenVerdict = 'good' | 'expired' | 'wrong';

export interface MediaTokens {
  /** `key`: which of the API keys asked, by its place among them. Null where no keys are set, and none is needed. */
  issue(key: number | null, jobId: string): MediaToken | null;
  check(token: string, jobId: string): TokenVerdict;
}

/** Long enough to watch what a link leads to, short enough that one in a log or a chat is soon worth nothing. */
const LIFETIME = 15 * 60_000;
const PURPOSE = 'durable-clip-generator media token 1';

export function createMediaTokens(
  keys: readonly string[],
  now: () => number = Date.now,
): MediaTokens {
  const derived = keys.map((key) => createHmac('sha256', key).update(PURPOSE).digest());
  const seal = (key: Buffer, jobId: string, expiry: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([jobId, expiry]))
      .digest('base64url');

  return {
    issue(key, jobId) {
      const signer = key === null ? undefined : derived[key];
      if (signer === undefined) return null;
      const at = now() + LIFETIME;
      const expiry = String(at);
      return {
        token: `${expiry}.${seal(signer, jobId, expiry)}`,
        expires_at: new Date(at).toISOString(),
      };
    },
    check(token, jobId) {
      const [expiry = ''] = token.split('.', 1);
      // The whole text is compared: a token has one spelling, and only `issue` has written its expiry.
      const isOurs = derived
        .map((key) => isSameSecret(`${expiry}.${seal(key, jobId, expiry)}`, token))
        .includes(true);
      if (!isOurs) return 'wrong';
      return now() < Number(expiry) ? 'good' : 'expired';
    },
  };
}
