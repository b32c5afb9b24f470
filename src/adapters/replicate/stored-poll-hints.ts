/**
 * Poll hints through a bucket, for API and workers without a common disk: an empty object that workers find in a list while
 * they wait for predictions. Only a hint to read earlier, as in poll-hints.ts. One list a worker, whatever the number of its
 * predictions; none while it waits for none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { objectsBelow } from '../storage/store.js';
import type { Store } from '../storage/store.js';
import type { PollHints } from './poll-hints.js';

const FOLDER = 'wakes/';
const keyOf = (predictionId: string): string => `${FOLDER}${encodeURIComponent(predictionId)}`;

/** Milliseconds between two lists: less than the product's own polling, so that a hint is worth its cost. */
const EVERY = 2_000;
/** Milliseconds after which a hint is removed by any worker: its prediction was read without it. */
const MAX_AGE = 600_000;

export const storePollHint = (store: Store, predictionId: string): Promise<void> =>
  store.put(keyOf(predictionId), '');

export function watchStoredHints(store: Store, every = EVERY): PollHints {
  const callbacks = new Map<string, () => void>();
  const closing = new AbortController();
  let isWatching = false;

  /** A store that does not answer costs the hints, not the polling. */
  const look = async (): Promise<void> => {
    for await (const { key, modified_at } of objectsBelow(store, FOLDER)) {
      const callback = callbacks.get(decodeURIComponent(key.slice(FOLDER.length)));
      callback?.();
      if (callback !== undefined || Date.now() - Date.parse(modified_at) > MAX_AGE)
        await store.delete(key);
    }
  };
  const watch = async (): Promise<void> => {
    while (callbacks.size > 0 && !closing.signal.aborted) {
      await look().catch(() => undefined);
      await sleep(every, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
    isWatching = false;
  };
  return {
    on(id, callback) {
      callbacks.set(id, callback);
      if (!isWatching) {
        isWatching = true;
        void watch();
      }
      return () => callbacks.delete(id);
    },
    close() {
      closing.abort();
    },
  };
}
