/**
 * The API key of this browser tab, where the server asks for one: kept in sessionStorage, sent as `Authorization` and
 * in no other way. Elements, which cannot send headers, have tokens (links.ts).
 */
import { below, under } from './base.js';

const SLOT = 'api_key';

export const storedKey = (): string | null => sessionStorage.getItem(SLOT);

export const storeKey = (key: string): void => {
  sessionStorage.setItem(SLOT, key);
};

export const authorization = (): Record<string, string> => {
  const key = storedKey();
  return key === null ? {} : { authorization: `Bearer ${key}` };
};

/** The address of a job's own path (`/v1/…`). Null for anything that is not such a path. */
export function mediaUrl(path: string | null): string | null {
  if (path === null) return null;
  const url = new URL(under(path));
  // A key must not travel to another host, nor to a route that does not need it.
  if (below(url.href)?.startsWith('/v1/') !== true) return null;
  return url.href;
}
