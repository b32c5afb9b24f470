/**
 * Tokens for clients that cannot send headers: elements of a page, players, links. A token opens the files and events of one
 * job, for reading, until it expires.
 *
 * TOKEN-1 nothing is stored: a token is its expiry and a signature of that and the job, with a key derived from the API key of
 *    the request. Every process with that API key accepts it; once the key is removed, its tokens are refused.
 */
import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../http/constant-time.js';

interface MediaToken {
  token: string;
  /** ISO 8601. */
  expires_at: string;
}

/** `wrong`: made by none of the keys, or for another job. */
type TokenVerdict = 'good' | 'expired' | 'wrong';

export interface MediaTokens {
  /** `key`: index of the API key of the request. Null where no keys are set, and none is needed. */
  issue(key: number | null, jobId: string): MediaToken | null;
  check(token: string, jobId: string): TokenVerdict;
}

/** Long enough to watch a video, short enough that a token in a log or a chat is soon worth nothing. */
const LIFETIME_MS = 15 * 60_000;
const PURPOSE = 'durable-clip-generator media token 1';

export function createMediaTokens(
  keys: readonly string[],
  now: () => number = Date.now,
): MediaTokens {
  const derived = keys.map((key) => createHmac('sha256', key).update(PURPOSE).digest());
  const sign = (key: Buffer, jobId: string, expiry: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([jobId, expiry]))
      .digest('base64url');

  return {
    issue(key, jobId) {
      const signer = key === null ? undefined : derived[key];
      if (signer === undefined) return null;
      const at = now() + LIFETIME_MS;
      const expiry = String(at);
      return {
        token: `${expiry}.${sign(signer, jobId, expiry)}`,
        expires_at: new Date(at).toISOString(),
      };
    },
    check(token, jobId) {
      const [expiry = ''] = token.split('.', 1);
      // The whole text is compared: a token has one spelling, and its expiry is one that `issue` wrote.
      const isOurs = derived
        .map((key) => isSameSecret(`${expiry}.${sign(key, jobId, expiry)}`, token))
        .includes(true);
      if (!isOurs) return 'wrong';
      return now() < Number(expiry) ? 'good' : 'expired';
    },
  };
}
