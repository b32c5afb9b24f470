/** The storage port over a bucket, on a real S3 server. */
import { beforeAll, describe } from 'vitest';
import { createS3Store } from '../../src/adapters/storage/s3-store.js';
import { addressOf, startBucket } from '../support/bucket.js';
import type { Bucket } from '../support/bucket.js';
import { lacks } from '../support/needed-programs.js';
import { storeContract } from '../support/store-contract.js';

let bucket: Bucket;

beforeAll(async () => {
  bucket = await startBucket();
  return () => bucket[Symbol.asyncDispose]();
});

describe.skipIf(lacks('an S3 server'))('a bucket', () => {
  storeContract(() => createS3Store({ url: 's3://clips/prefix', ...addressOf(bucket) }));
});
