/**
 * How a webhook reaches the worker that polls: an empty file in a folder that workers watch. Only a hint to
 * read earlier; whatever it says is read again from the provider, so duplicates, disorder and losses are harmless.
 */
import { mkdirSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const folderOf = (dataDir: string): string => path.join(dataDir, 'wakes');

export async function wake(dataDir: string, predictionId: string): Promise<void> {
  const place = path.join(folderOf(dataDir), encodeURIComponent(predictionId));
  await writeFile(place, '').catch(async () => {
    await mkdir(folderOf(dataDir), { recursive: true });
    await writeFile(place, '');
  });
  await rm(place, { force: true });
}

export interface Wakes {
  /** Calls back when a prediction is said to have changed, or was lately; the answer ends that. */
  on(predictionId: string, callback: () => void): () => void;
  close(): void;
}

/** Hints that are kept for those who do not listen yet: a short render may end while its id is being written down. */
const KEPT = 1_000;

export function watchWakes(dataDir: string): Wakes {
  const callbacks = new Map<string, () => void>();
  const kept = new Set<string>();
  const take = (id: string): void => {
    const callback = callbacks.get(id);
    if (callback !== undefined) {
      callback();
      return;
    }
    kept.add(id);
    const [oldest] = kept;
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  };
  let watcher: FSWatcher | null = null;
  /** A folder that cannot be watched (a full disk, no watches left) costs the hints, not the polling. */
  const start = (): void => {
    if (watcher !== null) return;
    try {
      mkdirSync(folderOf(dataDir), { recursive: true });
      watcher = watch(folderOf(dataDir), { persistent: false }, (_event, name) => {
        if (name !== null) take(decodeURIComponent(name));
      });
      watcher.on('error', () => undefined);
    } catch {
      watcher = null;
    }
  };
  start();
  return {
    on(id, callback) {
      start();
      callbacks.set(id, callback);
      if (kept.delete(id)) callback();
      return () => callbacks.delete(id);
    },
    close() {
      watcher?.close();
    },
  };
}
