/** What only a directory can meet: file systems without hard links, files of other processes, folders. */
import { link, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';
import { readText } from '../../../src/adapters/storage/store.js';
import { testFolder } from '../../support/test-folder.js';

let folder: string;
beforeEach(() => {
  const own = testFolder('directory-store');
  folder = own.path;
  return own.remove;
});

const linkless =
  (code: string): typeof link =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }));

it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
  'without hard links (%s) an object is made by exactly one, with and against processes that have them',
  async (code) => {
    const stores = [linkless(code), link, linkless(code), link].map((hardLink) =>
      createDirectoryStore(folder, { hardLink }),
    );
    const reader = createDirectoryStore(folder);
    for (let race = 0; race < 100; race++) {
      const key = `claims/claim-${String(race)}`;
      const words = ['a', 'b', 'c', 'd'];
      const made = await Promise.all(
        stores.map((store, index) => store.putIfAbsent(key, words[index] ?? '')),
      );
      const winners = words.filter((_, index) => made[index]);
      expect(winners).toHaveLength(1);
      expect(await readText(reader, key)).toBe(winners[0]);
    }
    const names = await readdir(path.join(folder, 'claims'));
    expect(names.filter((name) => name.endsWith('.part'))).toEqual([]);
  },
);

it('without hard links an object is listed, replaced and deleted like all others', async () => {
  const store = createDirectoryStore(folder, { hardLink: linkless('EPERM') });
  for (const key of ['a/1', 'a/1-2', 'a/10']) await store.putIfAbsent(key, 'old');
  const keysFrom = async (cursor: string | null) =>
    (await store.list('a/', { cursor })).objects.map(({ key }) => key);
  expect(await keysFrom(null)).toEqual(['a/1', 'a/1-2', 'a/10']);
  expect(await keysFrom('a/1')).toEqual(['a/1-2', 'a/10']);
  await store.put('a/1', 'new');
  expect(await readText(store, 'a/1')).toBe('new');
  await store.delete('a/1');
  expect(await store.head('a/1')).toBeNull();
  expect(await store.putIfAbsent('a/1', 'again')).toBe(true);
});

it('without hard links a disk error is reported, and not taken for an object that another process made', async () => {
  const store = createDirectoryStore(folder, { hardLink: linkless('ENOSPC') });
  await expect(store.putIfAbsent('x', 'x')).rejects.toThrow('ENOSPC');
});

it('neither lists nor reads the unfinished files of other processes', async () => {
  const store = createDirectoryStore(folder);
  await store.put('jobs/a/job.json', '{}');
  await writeFile(
    path.join(folder, 'jobs/a/plan.json.0f8fad5b-d9cb-469f-a165-70867728950e.part'),
    '{',
  );
  expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['jobs/a/job.json']);
});

it('leaves no empty folder after the last object of it was deleted', async () => {
  const store = createDirectoryStore(folder);
  await store.put('jobs/a/job.json', '{}');
  await store.delete('jobs/a/job.json');
  expect(await readdir(folder)).toEqual([]);
});

it('never deletes a folder that has the name of a key', async () => {
  const store = createDirectoryStore(folder);
  await mkdir(path.join(folder, 'jobs'));
  await store.put('jobs/a/job.json', '{}');
  await store.delete('jobs/a');
  await store.delete('jobs');
  expect(await readText(store, 'jobs/a/job.json')).toBe('{}');
});

it.each(['../x', '/x', 'a/../x', 'a//b', '', 'a/', './a', 'a\\b', 'ä', 'a\nb', '.'])(
  'refuses the key %j, which no store takes',
  async (key) => {
    const store = createDirectoryStore(folder);
    await expect(store.put(key, 'x')).rejects.toThrow('expected the key of an object');
    expect(await readdir(path.dirname(folder))).toContain(path.basename(folder));
    expect(await readdir(folder)).toEqual([]);
  },
);
