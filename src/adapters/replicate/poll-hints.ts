/**
 * How a webhook reaches the worker that polls: an empty file in a folder that workers watch. Only a hint to read earlier;
 * the prediction is read from the provider again, so duplicates, disorder and losses are harmless. In a bucket hints are objects
 * (stored-poll-hints.ts).
 */
import { mkdirSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** `wakes` is the name in every DATA_DIR: processes of two releases may share one. */
const folderOf = (dataDir: string): string => path.join(dataDir, 'wakes');

export async function sendPollHint(dataDir: string, predictionId: string): Promise<void> {
  const file = path.join(folderOf(dataDir), encodeURIComponent(predictionId));
  await writeFile(file, '').catch(async () => {
    await mkdir(folderOf(dataDir), { recursive: true });
    await writeFile(file, '');
  });
  await rm(file, { force: true });
}

export interface PollHints {
  /** Calls back when a prediction is said to have changed, or was lately; the returned function unsubscribes. */
  on(predictionId: string, callback: () => void): () => void;
  close(): void;
}

/** Hints without a listener that are kept: a short render may end while its id is being written down. */
const MAX_KEPT = 1_000;

export function watchPollHints(dataDir: string): PollHints {
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
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
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
