/** `npm run prune` on a bucket: what it does to a folder, it does to a bucket on a real S3 server. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createJobIndex } from '../../src/adapters/storage/job-index.js';
import { createS3Store } from '../../src/adapters/storage/s3-store.js';
import { keysBelow } from '../../src/adapters/storage/store.js';
import { prune } from '../../src/commands/pruning.js';
import { addressOf, startBucket } from '../support/bucket.js';
import type { Bucket } from '../support/bucket.js';
import { DAY, storeFinished } from '../support/finished-jobs.js';
import { lacks } from '../support/needed-programs.js';

describe.skipIf(lacks('an S3 server'))('in a bucket', () => {
  let bucket: Bucket;
  beforeAll(async () => {
    bucket = await startBucket();
    return () => bucket[Symbol.asyncDispose]();
  });

  it('the old jobs of a thousand objects are gone, with all that belonged to them, and the young one has everything', async () => {
    const store = await createS3Store({ url: 's3://clips/pruned', ...addressOf(bucket) });
    const olds = Array.from({ length: 100 }, (_, index) => `old-${String(index)}`);
    await Promise.all(olds.map((id) => storeFinished(store, id, { days: 31, bytes: 100 })));
    await storeFinished(store, 'young', { days: 29 });
    const keys = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const key of keysBelow(store, '')) found.push(key);
      return found.filter((key) => !/^(?:index|claims)\//.test(key));
    };
    const before = await keys();
    const pruned = await prune(
      {
        store,
        index: createJobIndex(store),
        runs: {
          last: () => Promise.resolve(null),
          forget: () => Promise.resolve(),
          retention: () => Promise.resolve(30 * DAY),
          firstBefore: () => Promise.resolve(null),
        },
      },
      { older_than: 30 * DAY, keep_videos: false, dry_run: false },
    );
    expect(pruned).toMatchObject({ jobs: 100, running: 0, failed: [] });
    expect(before.length).toBeGreaterThan(1_000);
    expect(await keys()).toEqual(before.filter((key) => key.includes('/young/')));
  });
});
