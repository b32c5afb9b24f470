/**
 * Where this page lies: its own modules are at `<base>assets/web/`, so the base is two folders up, wherever a proxy put it
 * (`https://host/` or `https://host/clips/`). Every address of the API, the page and its files is made here.
 */

const BASE = new URL('../../', import.meta.url);

/** An address that the API or this page names from its root (`/v1/…`, `/jobs/…`), as it is reached from here. */
export const under = (path: string): string => new URL(path.replace(/^\/+/, ''), BASE).href;

/** The other way: the part of an address below the base, from its slash on; null for what is not below it. */
export function below(address: string): string | null {
  const url = new URL(address, BASE);
  return url.origin === BASE.origin && url.pathname.startsWith(BASE.pathname)
    ? url.pathname.slice(BASE.pathname.length - 1)
    : null;
}
