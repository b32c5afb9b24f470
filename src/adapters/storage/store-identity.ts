/**
 * The identity of a store. A job belongs to the one it was started with: another has no files of the job, and the job's
 * readers look for none there.
 *
 * STORE-1 The identity is made once, by one of any number of workers that start at the same time.
 * STORE-2 Creates and claims rest on objects that only one process can make. On a store that cannot do that, nothing starts.
 */
import { randomUUID } from 'node:crypto';
import { ConfigError } from '../../config.js';
import { readText, StoreTrouble } from './store.js';
import type { Store } from './store.js';

const KEY = 'identity';

/** The identity of the store, made where there is none. STORE-2: rejects with a ConfigError where an object is not made exactly once. */
export async function identityOf(store: Store): Promise<string> {
  await requireOnce(store);
  await store.putIfAbsent(KEY, randomUUID()); // STORE-1
  return ((await readText(store, KEY)) ?? '').trim();
}

async function requireOnce(store: Store): Promise<void> {
  const probe = `.probe-${randomUUID()}`;
  try {
    const isOnce =
      (await store.putIfAbsent(probe, 'first')) && !(await store.putIfAbsent(probe, 'second'));
    if (!isOnce || (await readText(store, probe)) !== 'first')
      throw new Error('a second one took its place');
  } catch (error) {
    if (error instanceof StoreTrouble) throw error;
    throw unfit(store, error);
  } finally {
    await store.delete(probe).catch(() => undefined);
  }
}

const unfit = ({ kind, location }: Store, cause: unknown): ConfigError =>
  kind === 'bucket'
    ? new ConfigError(
        `STORAGE_URL: expected a bucket that takes conditional writes (If-None-Match), got ${location} (${(cause as Error).message}); use a server that has them.`,
        { cause },
      )
    : new ConfigError(
        `DATA_DIR: expected a file system on which a file can be made exactly once (with hard links, or with folders that are renamed), got "${location}" (${(cause as Error).message}); set DATA_DIR to another one.`,
        { cause },
      );
