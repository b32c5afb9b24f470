/** A bucket that is cut off, killed, stopped or read-only, on a real S3 server: nothing half, nothing lost, nothing owned twice. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createS3Store } from '../../src/adapters/storage/s3-store.js';
import type { S3Patience } from '../../src/adapters/storage/s3-store.js';
import { readBytes, readText } from '../../src/adapters/storage/store.js';
import type { Store } from '../../src/adapters/storage/store.js';
import { startBucket } from '../support/bucket.js';
import type { Bucket } from '../support/bucket.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import type { Fault } from '../support/faulty-proxy.js';
import { lacks } from '../support/needed-programs.js';
import { testFolder } from '../support/test-folder.js';

const MiB = 1024 * 1024;
const SHORT: S3Patience = { connect: 2_000, idle: 1_000, repeat: 2_000 };

describe.skipIf(lacks('an S3 server'))('a bucket', () => {
  let bucket: Bucket;
  let whole: Store;
  beforeAll(async () => {
    bucket = await startBucket();
    whole = await storeAt(bucket.endpoint);
    return () => bucket[Symbol.asyncDispose]();
  });

  const storeAt = (endpoint: string, patience?: S3Patience): Promise<Store> =>
    createS3Store({ url: 's3://clips/p', endpoint, force_path_style: true }, patience);

  async function behind(faultOf: (line: string, count: number) => Fault, patience = SHORT) {
    const proxy = await startFaultyProxy(bucket.port, faultOf);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    return { proxy, store: await storeAt(proxy.endpoint, patience) };
  }

  async function fileOf(bytes: number) {
    const own = testFolder('upload');
    onTestFinished(own.remove);
    const file = path.join(own.path, 'video.part');
    const content = randomBytes(bytes);
    await writeFile(file, content);
    return { file, content, sha256: createHash('sha256').update(content).digest('hex') };
  }

  /** Parts that the server keeps of uploads that have not ended. */
  const partsLeft = (): string[] =>
    readdirSync(bucket.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath.includes('multipart'))
      .map((entry) => entry.name);

  it('to which an upload is cut off shows nothing of it, keeps no part, and the file is kept', async () => {
    const { file, content } = await fileOf(40 * MiB);
    const isPart = (line: string): boolean => line.includes('partNumber=');
    const { store, proxy } = await behind((line) => (isPart(line) ? { cut: 3 * MiB } : 'pass'));
    const seen: unknown[] = [];
    const uploading = store.put('cut/video.mp4', { file }).then(
      () => 'stored',
      (error: unknown) => error,
    );
    const state = { isOver: false };
    void uploading.then(() => (state.isOver = true));
    while (!state.isOver) seen.push(await whole.head('cut/video.mp4'));
    expect(await uploading).toMatchObject({ name: 'StoreTrouble', settled: false });
    expect(proxy.seen.filter(isPart).length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([null]));
    expect((await whole.list('cut/')).objects).toEqual([]);
    expect(partsLeft()).toEqual([]);
    expect((await readFile(file)).equals(content)).toBe(true);

    await whole.put('cut/video.mp4', { file });
    expect((await readBytes(whole, 'cut/video.mp4'))?.equals(content)).toBe(true);
    expect(existsSync(file)).toBe(false);
  });

  it('from which every answer is lost once still has each object whole', async () => {
    const lost = new Set<string>();
    const faultOf = (line: string): Fault => {
      if (lost.has(line)) return 'pass';
      lost.add(line);
      return 'lose';
    };
    const { store } = await behind(faultOf, { ...SHORT, repeat: 20_000 });
    const large = await fileOf(20 * MiB);
    await store.put('lost/large.mp4', { file: large.file }, { sha256: large.sha256 });
    expect((await readBytes(store, 'lost/large.mp4'))?.equals(large.content)).toBe(true);
    const small = await fileOf(MiB);
    await store.put('lost/small.mp4', { file: small.file }, { sha256: small.sha256 });
    expect((await readBytes(store, 'lost/small.mp4'))?.equals(small.content)).toBe(true);
    await store.delete('lost/small.mp4');
    expect(await store.head('lost/small.mp4')).toBeNull();
  });

  it('from which answers are lost at random has one owner of each key, who knows it', async () => {
    const fair = await behind(() => 'pass', { ...SHORT, repeat: 20_000 });
    const faulty = await behind(
      (line, count) => (line.startsWith('PUT') && count % 3 !== 0 ? 'lose' : 'pass'),
      { ...SHORT, repeat: 20_000 },
    );
    for (let round = 0; round < 20; round += 1) {
      const key = `owned/${String(round)}`;
      const owners = await Promise.all(
        [fair.store, faulty.store, faulty.store, fair.store].map(async (store, index) =>
          (await store.putIfAbsent(key, `writer ${String(index)}`))
            ? [`writer ${String(index)}`]
            : [],
        ),
      );
      expect(owners.flat()).toEqual([await readText(whole, key)]);
    }
  });

  it('refuses content that does not have the hash it was given', async () => {
    const { file } = await fileOf(MiB);
    const put = whole.put('hash/video.mp4', { file }, { sha256: 'ab'.repeat(32) });
    await expect(put).rejects.toThrow('could not be written');
    expect(await whole.head('hash/video.mp4')).toBeNull();
    expect(existsSync(file)).toBe(true);
  });

  it('that is killed and started again takes what was being written meanwhile', async () => {
    const { file, content } = await fileOf(30 * MiB);
    await bucket.kill();
    const [large, small] = [whole.put('again/video.mp4', { file }), whole.put('again/job', '{}')];
    await bucket.restart();
    await Promise.all([large, small]);
    expect((await readBytes(whole, 'again/video.mp4'))?.equals(content)).toBe(true);
    expect(await readText(whole, 'again/job')).toBe('{}');
  });

  it('that answers nothing is trouble within its time, and well when it answers again', async () => {
    const store = await storeAt(bucket.endpoint, SHORT);
    await bucket.suspend();
    try {
      await expect(store.put('silent', 'x')).rejects.toMatchObject({
        name: 'StoreTrouble',
        settled: false,
      });
      await expect(store.get('silent')).rejects.toThrow('within seconds, got none');
    } finally {
      bucket.resume();
    }
    const patient = await storeAt(bucket.endpoint);
    // What was sent to the silent server may still be written by it.
    await patient.put('heard', 'now');
    expect(await readText(patient, 'heard')).toBe('now');
  });

  it('that is read-only is read, and what is written is refused in words', async () => {
    await whole.put('kept', 'x');
    await bucket.restart({ readonly: true });
    try {
      expect(await readText(whole, 'kept')).toBe('x');
      for (const work of [() => whole.put('new', 'x'), () => whole.putIfAbsent('new', 'x')]) {
        const refusal = expect(work()).rejects;
        await refusal.toThrow('the bucket "clips" is read-only, or the user lacks the right');
      }
    } finally {
      await bucket.restart();
    }
    await whole.put('new', 'x');
  });

  it('gives addresses that anyone can read with ranges for a time, typed and named as asked', async () => {
    await whole.put('address/clip.mp4', '0123456789', { media_type: 'video/mp4' });
    const url = await whole.url('address/clip.mp4', {
      expires_in: 60,
      media_type: 'video/mp4',
      file_name: 'job_clip_000.mp4',
    });
    const answer = await fetch(url ?? '', { headers: { range: 'bytes=2-4' } });
    expect([answer.status, await answer.text()]).toEqual([206, '234']);
    expect(answer.headers.get('content-type')).toBe('video/mp4');
    expect(answer.headers.get('content-disposition')).toContain('job_clip_000.mp4');
    expect((await fetch((url ?? '').replace('clip.mp4', 'other.mp4'))).status).toBe(403);
  });
});
