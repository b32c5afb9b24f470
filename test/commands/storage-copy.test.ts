/** `npm run storage -- copy`, from folder to folder. test/storage/ has the same with a bucket. */
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { identityOf } from '../../src/adapters/storage/store-identity.js';
import { artifactKey, jobKey } from '../../src/adapters/storage/store-keys.js';
import type { Store } from '../../src/adapters/storage/store.js';
import { main } from '../../src/commands/storage.js';
import { claimDataDir } from '../../src/embedded/data-dir-claim.js';
import { DAY, filesOf, sha256Of, storeFinished } from '../support/finished-jobs.js';
import { testFolder } from '../support/test-folder.js';

const LARGE = 3 << 20;
const PAYLOAD = `payloads/${sha256Of('payload').slice(0, 2)}/${sha256Of('payload')}`;

const output: string[] = [];
beforeEach(() => {
  output.length = 0;
  const keep = (text: unknown): void => void output.push(String(text));
  const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
  for (const spy of spies) spy.mockImplementation(keep);
  return () => {
    for (const spy of spies) spy.mockRestore();
  };
});

function folder(name: string): { place: string; store: Store } {
  const own = testFolder(name);
  onTestFinished(own.remove);
  const place = path.join(own.path, 'data');
  return { place, store: createDirectoryStore(place) };
}

/** Two jobs, a payload, an identity, and what a DATA_DIR has of processes. */
async function full(name = 'from') {
  const { place, store } = folder(name);
  await identityOf(store);
  await store.put('cursor.key', 'key');
  await storeFinished(store, 'a', { bytes: LARGE });
  await storeFinished(store, 'b');
  await store.put(PAYLOAD, 'payload');
  await store.putIfAbsent('index/segments/000000001.jsonl', '');
  return { place, store };
}

const copy = (from: string, to: string, ...words: string[]) => main(['copy', from, to, ...words]);

const touch = async (file: string, days: number): Promise<void> => {
  const at = new Date(Date.now() + days * DAY);
  await utimes(file, at, at);
};

describe('a copy', () => {
  it('has every byte of the store, and nothing of the processes that used it', async () => {
    const { place } = await full();
    const files = filesOf(place);
    await writeFile(path.join(place, 'temporal.db'), 'a database');
    await mkdir(path.join(place, 'scratch'));
    const to = folder('to');
    expect(await copy(place, to.place)).toBe(0);
    expect(filesOf(to.place)).toEqual(files);
    expect(await identityOf(to.store)).toBe(await identityOf(createDirectoryStore(place)));
  });

  it('made again sends nothing, and says so', async () => {
    const { place } = await full();
    const to = folder('to');
    await copy(place, to.place);
    const { ino } = await stat(path.join(to.place, artifactKey('a', 0, 'video')));
    expect(await copy(place, to.place)).toBe(0);
    expect(output.at(-1)).toMatch(/^Copied 0 objects, 0 B; \d+ objects, .* there already/);
    expect((await stat(path.join(to.place, artifactKey('a', 0, 'video')))).ino).toBe(ino);
  });

  it('that is tried changes nothing', async () => {
    const { place } = await full();
    const to = folder('to');
    expect(await copy(place, to.place, '--dry-run')).toBe(0);
    expect(output.at(-1)).toMatch(/^Would copy 2\d objects/);
    await expect(stat(to.place)).rejects.toThrow('ENOENT');
  });

  it('takes what was written later over, and keeps what is later in the other place and tells it', async () => {
    const { place, store } = await full();
    const to = folder('to');
    await copy(place, to.place);
    await store.put(jobKey('a', 'job.json'), 'a later end');
    await touch(path.join(place, jobKey('a', 'job.json')), 1);
    expect(await copy(place, to.place)).toBe(0);
    expect(await readFile(path.join(to.place, jobKey('a', 'job.json')), 'utf8')).toBe(
      'a later end',
    );
    await to.store.put(jobKey('b', 'job.json'), 'an end there');
    await touch(path.join(to.place, jobKey('b', 'job.json')), 1);
    expect(await copy(place, to.place)).toBe(1);
    expect(output.at(-1)).toContain('differs: jobs/b/job.json');
    expect(await readFile(path.join(to.place, jobKey('b', 'job.json')), 'utf8')).toBe(
      'an end there',
    );
  });

  it.each(['claims/prediction-of-a', 'creates/a/0/1', PAYLOAD, 'index/segments/000000001.jsonl'])(
    'never replaces another %s',
    async (key) => {
      const { place } = await full();
      const to = folder('to');
      await copy(place, to.place);
      await writeFile(path.join(to.place, key), 'another');
      await touch(path.join(place, key), 1);
      expect(await copy(place, to.place)).toBe(1);
      expect(output.at(-1)).toContain(`differs: ${key}`);
      expect(await readFile(path.join(to.place, key), 'utf8')).toBe('another');
    },
  );
});

describe('a flipped byte', () => {
  const flip = async (file: string): Promise<void> => {
    const { mtime } = await stat(file);
    const bytes = await readFile(file);
    bytes[100 % bytes.length] = (bytes[100 % bytes.length] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await utimes(file, mtime, mtime);
  };

  it.each([artifactKey('a', 0, 'video'), PAYLOAD])('in %s of the copy is found', async (key) => {
    const { place } = await full();
    const to = folder('to');
    await copy(place, to.place);
    await flip(path.join(to.place, key));
    expect(await copy(place, to.place, '--dry-run')).toBe(1);
    expect(output.at(-1)).toContain(`differs: ${key}`);
  });

  it.each([artifactKey('a', 0, 'video'), PAYLOAD])('in %s of the source is found', async (key) => {
    const { place } = await full();
    await flip(path.join(place, key));
    const to = folder('to');
    expect(await copy(place, to.place)).toBe(1);
    expect(output.at(-1)).toContain(`differs: ${key}: its bytes are not those`);
  });
});

describe('a place', () => {
  it('that is another store is refused, and not changed', async () => {
    const from = await full();
    const to = await full('to');
    const before = filesOf(to.place);
    expect(await copy(from.place, to.place)).toBe(2);
    expect(output.at(-1)).toContain('found the jobs of another store');
    expect(filesOf(to.place)).toEqual(before);
  });

  it('in which a worker has started, and nothing more, becomes this store', async () => {
    const from = await full();
    const to = folder('to');
    await identityOf(to.store);
    expect(await copy(from.place, to.place)).toBe(0);
    expect(await identityOf(to.store)).toBe(await identityOf(from.store));
  });

  it('that a running stack uses is refused, on either side', async () => {
    const from = await full();
    const to = folder('to');
    const claim = await claimDataDir(from.place, 'npm start');
    if (claim.kind !== 'held') throw new Error('expected a free folder');
    expect(await copy(from.place, to.place)).toBe(2);
    expect(output.at(-1)).toContain(`got npm start (process ${String(process.pid)}); stop it.`);
    expect(await copy(to.place, from.place)).toBe(2);
    await claim.claim.release();
    expect(await copy(from.place, to.place)).toBe(0);
  });

  it('without a store is refused', async () => {
    const from = folder('from');
    await mkdir(from.place, { recursive: true });
    expect(await copy(from.place, folder('to').place)).toBe(2);
    expect(output.at(-1)).toContain('found nothing');
  });

  it.each([
    [],
    ['move', 'a', 'b'],
    ['copy', '.'],
    ['copy', '.', '.'],
    ['copy', '.', 'b', 'c'],
    ['copy', '.', 'http://bucket/prefix'],
    ['copy', '.', 's3://'],
    ['copy', './no-such-folder', 'b'],
    ['copy', '.', 'b', '--force'],
  ])('or words that are no copy are refused: %j', async (...words: string[]) => {
    expect(await main(words)).toBe(2);
    expect(output.at(-1)).toMatch(/^npm run storage: .*Usage: npm run storage -- copy FROM TO/);
  });
});
