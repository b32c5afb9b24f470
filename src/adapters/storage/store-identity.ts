/**
 * The identity of a DATA_DIR. A job belongs to the one it was started with: another has no files of the job, and the job's
 * readers look for none there.
 *
 * STORE-1 The identity is made once, by one of any number of workers that start at the same time.
 * STORE-2 Creates and claims rest on files that only one process can make. On a file system that cannot do that, nothing starts.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../config.js';
import { createWhole, readWhole } from './artifact-store.js';

type Create = (file: string, content: string) => Promise<boolean>;

/** The identity of this DATA_DIR, made where there is none. STORE-2: rejects on a file system that cannot make a file exactly once. */
export async function identityOf(dataDir: string, create: Create = createWhole): Promise<string> {
  const probe = path.join(dataDir, `.probe-${randomUUID()}`);
  try {
    const isOnce = (await create(probe, 'first')) && !(await create(probe, 'second'));
    if (!isOnce || (await readWhole(probe)) !== 'first')
      throw new Error('a second one took its place');
  } catch (error) {
    throw unfit(dataDir, error);
  } finally {
    await rm(probe, { recursive: true, force: true }).catch(() => undefined);
  }
  const file = path.join(dataDir, 'identity');
  await create(file, randomUUID()); // STORE-1
  return (await readWhole(file)).trim();
}

const unfit = (dataDir: string, cause: unknown): ConfigError =>
  new ConfigError(
    `DATA_DIR: expected a file system on which a file can be made exactly once (with hard links, or with folders that are renamed), got "${dataDir}" (${(cause as Error).message}); set DATA_DIR to another one.`,
    { cause },
  );
