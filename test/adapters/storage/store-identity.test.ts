/** STORE-1, STORE-2: one identity for a folder, and no folder on which two clips could own one prediction. */
import { readdir, rename } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import { identityOf } from '../../../src/adapters/storage/store-identity.js';
import { ConfigError } from '../../../src/config.js';
import type { Store } from '../../../src/adapters/storage/store.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

let folder: string;
beforeEach(() => {
  const own = testFolder('identity');
  folder = own.path;
  return own.remove;
});

it('a folder has one identity, whichever process asks first, and keeps it when it is moved', async () => {
  const [first, ...others] = await Promise.all(
    Array.from({ length: 10 }, () => identityOf(createDirectoryStore(folder))),
  );
  expect(new Set([first, ...others]).size).toBe(1);
  expect(await readdir(folder)).toEqual(['identity']);
  const elsewhere = `${folder}-moved`;
  await rename(folder, elsewhere);
  expect(await identityOf(createDirectoryStore(elsewhere))).toBe(first);
  await rename(elsewhere, folder);
  expect(await identityOf(createDirectoryStore(testFolder('another', folder).path))).not.toBe(
    first,
  );
});

it.each([
  ['refuses to make one at all', () => Promise.reject(new Error('ENOTSUP: link'))],
  [
    'lets a second take the place of the first',
    (store: Store, key: string, content: string) => store.put(key, content).then(() => true),
  ],
  ['says that it made none', () => Promise.resolve(false)],
])('a file system that %s is refused, with what was expected', async (_, create) => {
  const store = createDirectoryStore(folder);
  const refusal = identityOf({
    ...store,
    putIfAbsent: (key, content) => create(store, key, content),
  });
  await expect(refusal).rejects.toBeInstanceOf(ConfigError);
  await expect(refusal).rejects.toThrow(
    `DATA_DIR: expected a file system on which a file can be made exactly once`,
  );
  await expect(refusal).rejects.toThrow(folder);
  expect(await readdir(folder)).toEqual([]);
});
