/**
 * Whether the rest of the stack is there, asked of `/readyz` while the tab is visible. A listener
 * gets the latest answer at once; null means that the API itself did not answer.
 */
import type { Readiness } from '../client/wire.js';
import { api } from './api-client.js';

export interface Health {
  latest(): Readiness | null;
  /** Ask now instead of at the next turn. */
  check(): Promise<void>;
  listen(listener: () => void): () => void;
}

const EVERY = 5000;

export function watchHealth(): Health {
  const listeners = new Set<() => void>();
  let latest: Readiness | null = null;
  let checking: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    latest = await api.readiness();
    checking = null;
    for (const listener of listeners) listener();
  };
  const check = (): Promise<void> => (checking ??= look());
  setInterval(() => {
    if (document.visibilityState === 'visible') void check();
  }, EVERY);
  void check();
  return {
    latest: () => latest,
    check,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
