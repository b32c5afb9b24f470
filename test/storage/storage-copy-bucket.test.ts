/** `npm run storage -- copy` between a folder and a bucket on a real S3 server, by the real process, which is killed. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { createS3Store } from '../../src/adapters/storage/s3-store.js';
import { identityOf } from '../../src/adapters/storage/store-identity.js';
import { artifactKey } from '../../src/adapters/storage/store-keys.js';
import { createArchive } from '../../src/api/jobs/job-archive.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { harness } from '../api/harness.js';
import { addressOf, startBucket } from '../support/bucket.js';
import type { Bucket } from '../support/bucket.js';
import { eventually } from '../support/eventually.js';
import { filesOf, sha256Of, storeFinished } from '../support/finished-jobs.js';
import { lacks } from '../support/needed-programs.js';
import { startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

const script = fileURLToPath(new URL('../../dist/src/commands/storage.js', import.meta.url));
const JOBS = 40;
/** Above the size of one request. */
const LARGE = 20 << 20;

describe.skipIf(lacks('an S3 server'))('a store that is moved', () => {
  let bucket: Bucket;
  beforeAll(async () => {
    bucket = await startBucket();
    return () => bucket[Symbol.asyncDispose]();
  });

  const folder = (name: string): string => {
    const own = testFolder(name);
    onTestFinished(own.remove);
    return path.join(own.path, 'data');
  };

  async function full(): Promise<{ place: string; video: Buffer }> {
    const place = folder('from');
    const store = createDirectoryStore(place);
    await identityOf(store);
    const video = await storeFinished(store, 'large', { bytes: LARGE });
    for (let index = 1; index < JOBS; index += 1)
      await storeFinished(store, `job-${String(index)}`);
    return { place, video };
  }

  const copy = (from: string, to: string, ...words: string[]) => {
    const argv = JSON.stringify(['copy', from, to, ...words]);
    const code = `import(${JSON.stringify(script)}).then((m) => m.main(${argv})).then((c) => process.exit(c))`;
    const { STORAGE_URL: _, ...env } = bucket.env();
    return startProcess(['node', '-e', code], { env: { ...env, DATA_DIR: folder('own') } });
  };

  async function copied(from: string, to: string, ...words: string[]) {
    await using command = copy(from, to, ...words);
    return { code: await command.exit(), stdout: command.stdout, output: command.output };
  }

  const inBucket = (prefix: string): string[] => {
    const place = path.join(bucket.folder, prefix);
    if (!existsSync(place)) return [];
    return readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  };

  it('into a bucket, killed in the middle, and run again, is whole, and is equal in every byte once it is back', async () => {
    const { place } = await full();
    const files = filesOf(place);
    const total = Object.keys(files).length;
    {
      await using command = copy(place, 's3://clips/moved');
      await eventually(
        'some of the objects in the bucket',
        async () => {
          const { length } = inBucket('moved');
          return { done: length > total / 10, value: length };
        },
        { every: 5 },
      );
      await bucket.suspend();
      command.signal('SIGKILL');
      expect(await command.exit()).toBe(137);
      bucket.resume();
    }
    const sent = inBucket('moved').length;
    expect(sent).toBeLessThan(total);

    const again = await copied(place, 's3://clips/moved');
    expect(again).toMatchObject({ code: 0 });
    const [, there = '0'] = /; (\d+) objects, .* there already/.exec(again.stdout) ?? [];
    expect(Number(there)).toBeGreaterThan(0);
    expect(await copied(place, 's3://clips/moved', '--dry-run', '--json')).toMatchObject({
      code: 0,
    });

    const back = folder('back');
    expect(await copied('s3://clips/moved', back)).toMatchObject({ code: 0 });
    expect(filesOf(back)).toEqual(files);
  });

  it('in which a byte of the bucket was flipped is told, and the byte is named', async () => {
    const { place } = await full();
    expect(await copied(place, 's3://clips/flipped')).toMatchObject({ code: 0 });
    const key = artifactKey('large', 0, 'video');
    const file = path.join(bucket.folder, 'flipped', key);
    const bytes = await readFile(file);
    bytes[LARGE >> 1] = (bytes[LARGE >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const later = new Date(Date.now() + 60_000);
    await utimes(file, later, later);
    const compared = await copied(place, 's3://clips/flipped', '--dry-run');
    expect(compared.code).toBe(1);
    expect(compared.stdout).toContain(`differs: ${key}`);
    // The facts in the bucket tell it as well.
    const back = await copied('s3://clips/flipped', folder('back'));
    expect(back.code).toBe(1);
    expect(back.stdout).toContain(`differs: ${key}: its bytes are not those`);
  });

  it('is served by an API that has the bucket: the list, a job, and a part of a video', async () => {
    const { place, video } = await full();
    expect(await copied(place, 's3://clips/served')).toMatchObject({ code: 0 });
    const store = await createS3Store({ url: 's3://clips/served', ...addressOf(bucket) });
    const { app } = await harness({}, { store, archive: createArchive(store, folder('scratch')) });
    const list = await app.inject('/v1/jobs?limit=100');
    const { jobs } = list.json<{ jobs: { job_id: string }[] }>();
    expect(jobs.map(({ job_id }) => job_id)).toContain('large');
    expect(jobs).toHaveLength(JOBS);
    expect((await app.inject('/v1/jobs/large')).json<Job>()).toMatchObject({
      job_id: 'large',
      status: 'succeeded',
    });
    const part = await app.inject({
      url: '/v1/jobs/large/clips/0/video',
      headers: { range: 'bytes=1000-1999' },
    });
    expect(part.statusCode).toBe(206);
    expect(part.headers['content-type']).toBe('video/mp4');
    expect(sha256Of(part.rawPayload)).toBe(sha256Of(video.subarray(1000, 2000)));
  });
});
