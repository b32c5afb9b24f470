/** Bearer keys of requests: read from the header, and compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The key of an `Authorization: Bearer` header; null for none. */
export const bearerKeyOf = ({ authorization = '' }: IncomingHttpHeaders): string | null =>
  /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;

/** The index of a key, -1 for none. Every key is compared, so that the time does not depend on which one matches. */
export function createKeyIndex(keys: readonly string[]): (key: string) => number {
  const digests = keys.map(digest);
  return (key) => {
    const given = digest(key);
    return digests.map((known) => timingSafeEqual(known, given)).indexOf(true);
  };
}
