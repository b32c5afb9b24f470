/** What is large leaves Temporal's history as a file named by its hash; what people read there stays. */
import { createHash } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultPayloadConverter, StorageDriverClaim } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createPayloadDriver,
  staysInline,
  storedPayloads,
} from '../../../src/adapters/storage/payload-files.js';
import { emptyJob } from '../../../src/domain/job/initial-job.js';
import type { EventPage } from '../../../src/domain/job/pages.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown =>
  defaultPayloadConverter.fromPayload(payload as Payload);

let folder: string;
beforeEach(() => {
  const own = testFolder('payloads');
  folder = own.path;
  return own.remove;
});

describe('a stored payload', () => {
  const value = { clip_prompts: ['a harbour in the rain ☂'] };

  async function stored() {
    const driver = createPayloadDriver(createDirectoryStore(folder));
    const [claim] = await driver.store({}, [payloadOf(value)]);
    const { sha256 = '' } = claim?.claimData ?? {};
    return { driver, sha256, file: path.join(folder, 'payloads', sha256.slice(0, 2), sha256) };
  }
  const read = (sha256: string) =>
    createPayloadDriver(createDirectoryStore(folder)).retrieve({}, [
      new StorageDriverClaim({ sha256 }),
    ]);

  it('is one whole file named by the hash of its content, and is read back as it was', async () => {
    const { sha256, file, driver } = await stored();
    await driver.store({}, [payloadOf(value)]);
    expect(await readdir(path.dirname(file))).toEqual([sha256]);
    expect(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ).toBe(sha256);
    const [payload] = await read(sha256);
    expect(valueOf(payload)).toEqual(value);
  });

  it('that is missing is reported with its file and the possible reasons', async () => {
    const { file, sha256 } = await stored();
    await rm(file);
    await expect(read(sha256)).rejects.toThrow(
      `expected payload ${sha256} in ${folder}: this process has another store (STORAGE_URL, DATA_DIR) than the one that wrote it, or the object was deleted`,
    );
  });

  it('whose file was changed is refused until it is stored again', async () => {
    const { driver, file, sha256 } = await stored();
    await writeFile(file, 'something else');
    await expect(read(sha256)).rejects.toThrow('the object was changed');
    await driver.store({}, [payloadOf(value)]);
    expect(valueOf((await read(sha256))[0])).toEqual(value);
  });

  it('is never read from a path that a reference invents', async () => {
    const outside = path.join(folder, 'secret');
    await writeFile(outside, 'secret');
    await expect(read('../secret')).rejects.toThrow('expected the hash of a payload');
    await expect(
      createPayloadDriver(createDirectoryStore(folder)).retrieve({}, [new StorageDriverClaim({})]),
    ).rejects.toThrow('expected the hash of a payload');
  });
});

describe('what stays in histories and answers', () => {
  const identity = {
    job_id: 'a',
    run_id: 'b',
    created_at: '2030-01-01T00:00:00Z',
    simulated: false,
  };
  const job = emptyJob(identity);
  const page: EventPage = { events: [], last_seq: 0 };
  const { driverSelector, payloadSizeThreshold } = storedPayloads(
    createDirectoryStore('unused'),
  ).externalStorage;

  it.each([
    ['a job, however it ends', job],
    ['a page of its events', page],
  ])('is %s', (_, value) => {
    expect(staysInline(payloadOf(value))).toBe(true);
    expect(driverSelector({}, payloadOf(value))).toBeNull();
  });

  it.each([
    ['a plan', { clip_prompts: [] }],
    ['the job that a run resumes', { previous: job }],
    ['a checked plan', { resolved: { clips: [] } }],
    ['a text that only contains a job', JSON.stringify(job)],
    ['nothing', undefined],
  ])('is not %s, if it is large', (_, value) => {
    expect(staysInline(payloadOf(value))).toBe(false);
    expect(driverSelector({}, payloadOf(value))?.name).toBe('data-dir');
  });

  it('is everything below 256 KiB', () => {
    expect(payloadSizeThreshold).toBe(256 * 1024);
  });
});
