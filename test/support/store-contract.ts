/** What every implementation of the storage port promises, as tests: a directory and a bucket keep the same. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open as openFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf } from '../../src/adapters/storage/store-keys.js';
import { keysBelow, objectsBelow, readBytes, readText } from '../../src/adapters/storage/store.js';
import type { Store } from '../../src/adapters/storage/store.js';
import { testFolder } from './test-folder.js';

const MiB = 1024 * 1024;

/** `open` makes another client of one place each time, as processes have. */
export function storeContract(open: () => Promise<Store>): void {
  /** A place of the test's own within it. */
  const place = (): string => `test-${randomUUID()}`;

  describe('an object', () => {
    it('is what was put, with its size, time and tag', async () => {
      const store = await open();
      const key = `${place()}/job.json`;
      const before = Date.now();
      await store.put(key, '{"ä":1}', { media_type: 'application/json' });
      expect(await readText(store, key)).toBe('{"ä":1}');
      const facts = await store.head(key);
      expect(facts).toMatchObject({ key, bytes: 8 });
      expect(facts?.etag).toMatch(/^"[^"]+"$/);
      // A store may keep whole seconds.
      expect(Date.parse(facts?.modified_at ?? '')).toBeGreaterThan(before - 2_000);
      const found = await store.get(key);
      found?.body.destroy();
      expect(found).toMatchObject(facts ?? {});
    });

    it('is null where there is none', async () => {
      const store = await open();
      const key = `${place()}/none`;
      expect(await store.get(key)).toBeNull();
      expect(await store.get(key, { start: 0, end: 3 })).toBeNull();
      expect(await store.head(key)).toBeNull();
      expect(await readText(store, key)).toBeNull();
    });

    it('may be empty', async () => {
      const store = await open();
      const key = `${place()}/empty`;
      await store.put(key, '');
      expect(await readText(store, key)).toBe('');
      expect(await store.head(key)).toMatchObject({ bytes: 0 });
      expect(await readText(store, key)).toBe('');
    });

    it('is replaced whole, and has another tag then', async () => {
      const [store, other] = [await open(), await open()];
      const key = `${place()}/log`;
      await store.put(key, 'first');
      const first = await store.head(key);
      await other.put(key, 'the second');
      expect(await readText(store, key)).toBe('the second');
      expect((await store.head(key))?.etag).not.toBe(first?.etag);
    });

    it('is never seen half, however often it is replaced while it is read', async () => {
      const [writer, reader] = [await open(), await open()];
      const key = `${place()}/job`;
      const versions = Array.from({ length: 30 }, (_, index) => String(index % 10).repeat(100_000));
      await writer.put(key, versions[0] ?? '');
      const state = { isWriting: true };
      const writing = (async () => {
        for (const version of versions) await writer.put(key, version);
        state.isWriting = false;
      })();
      const seen: string[] = [];
      while (state.isWriting) seen.push((await readText(reader, key)) ?? 'none');
      await writing;
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.filter((text) => !versions.includes(text))).toEqual([]);
    });

    it('is read by every client once its write has resolved', async () => {
      const clients = await Promise.all([open(), open(), open()]);
      const folder = place();
      for (let index = 0; index < 10; index += 1) {
        const key = `${folder}/${String(index)}`;
        await clients[index % 3]?.put(key, key);
        const texts = await Promise.all(clients.map((client) => readText(client, key)));
        expect(texts).toEqual([key, key, key]);
        const pages = await Promise.all(clients.map((client) => client.list(`${folder}/`)));
        expect(pages.map((page) => page.objects.length)).toEqual(clients.map(() => index + 1));
      }
    });

    it('is gone when it was deleted, and deleting it again is no mistake', async () => {
      const store = await open();
      const key = `${place()}/a/b`;
      await store.put(key, 'x');
      await store.delete(key);
      expect(await store.head(key)).toBeNull();
      await store.delete(key);
      await store.delete(`${place()}/never/was`);
      await store.put(key, 'y');
      expect(await readText(store, key)).toBe('y');
    });

    it('may have every character that a key may have', async () => {
      const store = await open();
      const folder = place();
      const signs = "abc019XYZ!$&'()*+,;=:@~%._-";
      const keys = [
        ...Array.from(signs).filter((one) => one !== '.'),
        ...Array.from(signs, (one) => `x${one}${one}y`),
        `${signs}/z`,
        `${folderOf('wörk flow/1+2=3 %41..')}/job.json`,
        `${folderOf('~')}/plan.json`,
        'a%2Fb',
        'a+b',
        '..a',
        'b.c..',
      ].map((name) => `${folder}/${name}`);
      await Promise.all(keys.map((key) => store.put(key, key)));
      expect(await Promise.all(keys.map((key) => readText(store, key)))).toEqual(keys);
      const listed: string[] = [];
      for await (const { key } of objectsBelow(store, `${folder}/`)) listed.push(key);
      expect(listed).toEqual(keys.toSorted(byBytes));
      await Promise.all(keys.map((key) => store.delete(key)));
      expect((await store.list(`${folder}/`)).objects).toEqual([]);
    });

    it.each(['', '/a', 'a/', 'a//b', 'a/../b', './a', 'ä', 'a\nb', 'a b', 'a/.', 'a\\b'])(
      'cannot have the key %j',
      async (key) => {
        const store = await open();
        await expect(store.put(key, 'x')).rejects.toThrow('expected the key of an object');
        await expect(store.get(key)).rejects.toThrow('expected the key of an object');
        await expect(store.delete(key)).rejects.toThrow('expected the key of an object');
      },
    );
  });

  describe('a range', () => {
    it.each([
      [0, 0, 'a'],
      [0, 3, 'abcd'],
      [4, 6, 'efg'],
      [7, Infinity, 'hij'],
      [9, 9, 'j'],
      [5, 1_000, 'fghij'],
      [10, 20, ''],
      [1_000, Infinity, ''],
    ])('from %d to %d of ten bytes is "%s", and tells the whole size', async (start, end, text) => {
      const store = await open();
      const key = `${place()}/ten`;
      await store.put(key, 'abcdefghij');
      const found = await store.get(key, { start, end });
      expect(found).toMatchObject({ key, bytes: 10 });
      found?.body.destroy();
      expect((await readBytes(store, key, { start, end }))?.toString()).toBe(text);
    });

    it('of an empty object is empty', async () => {
      const store = await open();
      const key = `${place()}/empty`;
      await store.put(key, '');
      expect((await readBytes(store, key, { start: 0, end: 99 }))?.length).toBe(0);
    });
  });

  describe('putIfAbsent', () => {
    it('has exactly one winner of any number of clients, and its content stays', async () => {
      const clients = await Promise.all(Array.from({ length: 5 }, open));
      const folder = place();
      for (let round = 0; round < 15; round += 1) {
        const key = `${folder}/${String(round)}`;
        const race = Array.from({ length: 20 }, async (_, writer) => {
          const isMine = await clients[writer % 5]?.putIfAbsent(key, `owner ${String(writer)}`);
          return isMine === true ? [`owner ${String(writer)}`] : [];
        });
        const winners = (await Promise.all(race)).flat();
        expect(winners).toHaveLength(1);
        const late = await Promise.all(clients.map((client) => client.putIfAbsent(key, 'late')));
        expect(late).toEqual(clients.map(() => false));
        expect(await readText(await open(), key)).toBe(winners[0]);
      }
    });

    it('finds what put has written, and is free again after a delete', async () => {
      const store = await open();
      const key = `${place()}/one`;
      await store.put(key, 'put');
      expect(await store.putIfAbsent(key, 'put')).toBe(false);
      await store.delete(key);
      expect(await store.putIfAbsent(key, 'again')).toBe(true);
      expect(await readText(store, key)).toBe('again');
    });
  });

  describe('a list', () => {
    const putAll = async (store: Store, keys: readonly string[]): Promise<void> => {
      for (let start = 0; start < keys.length; start += 50) {
        await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, '')));
      }
    };

    it('has everything below its prefix in the order of bytes, over as many pages as it takes', async () => {
      const store = await open();
      const folder = place();
      const given = [
        ...Array.from({ length: 1_100 }, (_, index) => `${folder}/many/${String(index)}`),
        ...['a', 'a-b', 'a.b', 'a0', 'A', '~', 'b/c', 'b-c', 'b0/c', 'b/d/e'].map(
          (name) => `${folder}/${name}`,
        ),
      ];
      await putAll(store, given);
      const sorted = given.toSorted(byBytes);
      const first = await store.list(`${folder}/`);
      expect(first.objects.map(({ key }) => key)).toEqual(sorted.slice(0, 1_000));
      expect(first.folders).toEqual([]);
      expect(first.keys).toEqual(sorted.slice(0, 1_000));
      const all: string[] = [];
      for await (const { key } of objectsBelow(store, `${folder}/`)) all.push(key);
      expect(all).toEqual(sorted);
      const keys: string[] = [];
      for await (const key of keysBelow(store, `${folder}/`)) keys.push(key);
      expect(keys).toEqual(sorted);

      const small: string[][] = [];
      let cursor: string | null = null;
      do {
        const page = await store.list(`${folder}/b`, { limit: 2, cursor });
        small.push(page.objects.map(({ key }) => key.slice(folder.length + 1)));
        cursor = page.cursor;
      } while (cursor !== null);
      expect(small.flat()).toEqual(['b-c', 'b/c', 'b/d/e', 'b0/c']);
      expect(small[0]).toHaveLength(2);
    });

    it('may have a prefix that ends within a name, and is empty where nothing is', async () => {
      const store = await open();
      const folder = place();
      await putAll(store, [`${folder}/clip_001.mp4`, `${folder}/clip_002.mp4`, `${folder}/other`]);
      const keys = (await store.list(`${folder}/clip_`)).objects.map(({ key }) => key);
      expect(keys).toEqual([`${folder}/clip_001.mp4`, `${folder}/clip_002.mp4`]);
      expect(await store.list(`${folder}/none/`)).toEqual({
        keys: [],
        objects: [],
        folders: [],
        cursor: null,
      });
    });

    it('that is shallow tells what is further down as folders, over pages too', async () => {
      const store = await open();
      const folder = place();
      const below = ['a', 'b/x', 'b/y', 'b-', 'c/x/y', 'd', 'e/x'];
      await putAll(
        store,
        below.map((name) => `${folder}/${name}`),
      );
      const page = await store.list(`${folder}/`, { shallow: true });
      expect(page.objects.map(({ key }) => key)).toEqual(
        ['a', 'b-', 'd'].map((name) => `${folder}/${name}`),
      );
      expect(page.folders).toEqual(['b/', 'c/', 'e/'].map((name) => `${folder}/${name}`));
      const found = { objects: [] as string[], folders: [] as string[] };
      let cursor: string | null = null;
      do {
        const next = await store.list(`${folder}/`, { shallow: true, limit: 2, cursor });
        expect(next.objects.length + next.folders.length).toBeLessThanOrEqual(2);
        found.objects.push(...next.objects.map(({ key }) => key));
        found.folders.push(...next.folders);
        cursor = next.cursor;
      } while (cursor !== null);
      expect(found).toEqual({
        objects: page.objects.map(({ key }) => key),
        folders: page.folders,
      });
    });
  });

  describe('a file', () => {
    it('is the store’s once it was put: it is moved', async () => {
      using folder = testFolder('put');
      const store = await open();
      const file = path.join(folder.path, 'video.part');
      const bytes = randomBytes(100_000);
      await writeFile(file, bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const key = `${place()}/clip_000.mp4`;
      await store.put(key, { file }, { media_type: 'video/mp4', sha256 });
      expect(existsSync(file)).toBe(false);
      expect((await readBytes(store, key))?.equals(bytes)).toBe(true);
    });

    it('of 160 MiB is put and read with little memory, and is the same afterwards', async () => {
      using folder = testFolder('put');
      const store = await open();
      const file = path.join(folder.path, 'video.part');
      const size = 160 * MiB;
      const sent = await largeFile(file, size);
      const key = `${place()}/clip_000.mp4`;
      const growth = await memoryGrowthOf(async () => {
        await store.put(key, { file }, { media_type: 'video/mp4', sha256: sent });
        const found = await store.get(key);
        expect(found?.bytes).toBe(size);
        const hash = createHash('sha256');
        for await (const chunk of found?.body ?? []) hash.update(chunk as Buffer);
        expect(hash.digest('hex')).toBe(sent);
      });
      expect(growth).toBeLessThan(size * 0.75);
      expect(existsSync(file)).toBe(false);
      expect((await readBytes(store, key, { start: size - 2, end: Infinity }))?.length).toBe(2);
      await store.delete(key);
    });
  });
}

const byBytes = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/** Resolves to its hash. */
async function largeFile(file: string, size: number): Promise<string> {
  const handle = await openFile(file, 'w');
  const block = randomBytes(MiB);
  for (let at = 0; at < size; at += MiB) {
    block.writeUInt32BE(at);
    await handle.write(block);
  }
  await handle.close();
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The most that this process had in memory meanwhile, above what it had before. */
async function memoryGrowthOf(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 10);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return most - before;
}
