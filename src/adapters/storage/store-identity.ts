/**
 * Which DATA_DIR this is. Jobs are frozen to the one they were started with: on another, what is on the disk says nothing of
 * them, and what is written there nobody finds.
 *
 * D1 The identity is made once, by one of any number of workers that start at the same time.
 * D2 Who pays and who owns what is decided by files that only one can make: where the file system cannot do that nothing starts.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../config.js';
import { createWhole, readWhole } from './artifact-store.js';

type Create = (file: string, content: string) => Promise<boolean>;

/** The identity of this DATA_DIR, made where there is none; refuses a file system that cannot make a file once (D2). */
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
  await create(file, randomUUID()); // D1
  return (await readWhole(file)).trim();
}

const unfit = (dataDir: string, cause: unknown): ConfigError =>
  new ConfigError(
    `DATA_DIR: expected a file system on which a file can be made exactly once (with hard links, or with folders that are renamed), got "${dataDir}" (${(cause as Error).message}); set DATA_DIR to another one.`,
    { cause },
  );
