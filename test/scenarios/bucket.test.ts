/** A job whose store is a bucket, in every trouble that a bucket may have: what is paid is stored, and paid once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { artifactKey, jobKey } from '../../src/adapters/storage/store-keys.js';
import { readText } from '../../src/adapters/storage/store.js';
import { startBucket } from '../support/bucket.js';
import type { Bucket } from '../support/bucket.js';
import { eventually } from '../support/eventually.js';
import { lacks } from '../support/needed-programs.js';
import { planOf } from '../support/plans.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import type { Run } from '../support/world.js';
import { World } from '../support/world.js';

const HELD = ['a', 'b', 'c', 'd'].map((prompt) => `[[hold:while-processing]] ${prompt}`);

describe.skipIf(lacks('an S3 server'))('a job in a bucket', () => {
  let bucket: Bucket;
  beforeAll(async () => {
    bucket = await startBucket();
    return () => bucket[Symbol.asyncDispose]();
  });

  /** Each has its prediction, which waits for its release. */
  const rendering = (world: World) =>
    eventually('every clip to render', async () => {
      const { predictions } = await world.stats();
      const statuses = predictions.map(({ status }) => status);
      const isHeld = statuses.filter((status) => status === 'processing').length === HELD.length;
      return { done: isHeld, value: statuses };
    });

  /** What Temporal knows of executions that failed and are tried again. */
  const toldBy = (run: Run, words: string) =>
    eventually(`"${words}" of an execution`, async () => {
      const { raw } = await run.handle.describe();
      const told = raw.pendingActivities?.map(({ lastFailure }) => lastFailure?.message) ?? [];
      return { done: told.some((text) => text?.includes(words)), value: told };
    });

  async function expectAllStored(world: World, run: Run): Promise<void> {
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: HELD.length });
    expect(job.clips.map(({ attempt }) => attempt)).toEqual(HELD.map(() => 1));
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: HELD.length, cancels: 0 });
    expectSameLedger(stats, job);
    for (const { clip_index } of job.clips) {
      const video = await world.store.head(artifactKey(run.handle.workflowId, clip_index, 'video'));
      expect(video?.bytes).toBeGreaterThan(1_000);
    }
    const kept = await readText(world.store, jobKey(run.handle.workflowId, 'job.json'));
    expect(JSON.parse(kept ?? '')).toMatchObject({ status: 'succeeded' });
  }

  it('leaves nothing but scratch files on the machine, and all of it in the bucket', async () => {
    await using world = await World.create({ bucket });
    await world.startWorker();
    const run = await world.start(planOf(HELD));
    await rendering(world);
    await world.control('POST', '/release', { all: true });
    await expectAllStored(world, run);
    const { folders } = await world.store.list('', { shallow: true });
    expect(folders).toEqual(['artifacts/', 'claims/', 'creates/', 'index/', 'jobs/']);
  });

  it('that is down while clips are stored has them all afterwards, and pays for none again', async () => {
    await using world = await World.create({ bucket });
    await world.startWorker();
    const run = await world.start(planOf(HELD));
    await rendering(world);
    await bucket.kill();
    await world.control('POST', '/release', { all: true });
    await toldBy(run, 'S3_ENDPOINT: expected a connection to');
    await bucket.restart();
    await expectAllStored(world, run);
  });

  it('that is down when clips are to be created costs nothing, and has them when it is back', async () => {
    await using world = await World.create({ bucket });
    await world.startWorker();
    await bucket.kill();
    const run = await world.start(planOf(['a', 'b']));
    await toldBy(run, 'Nothing was created.');
    expect(await world.stats()).toMatchObject({ creates: 0 });
    await bucket.restart();
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 2, cancels: 0 });
    expectSameLedger(stats, job);
  });

  it('that is read-only while clips are stored says so, and has them once it may be written', async () => {
    await using world = await World.create({ bucket });
    await world.startWorker();
    const run = await world.start(planOf(HELD));
    await rendering(world);
    await bucket.restart({ readonly: true });
    await world.control('POST', '/release', { all: true });
    await toldBy(run, 'the bucket "clips" is read-only, or the user lacks the right');
    await bucket.restart();
    await expectAllStored(world, run);
  });

  it('is finished by another worker, with nothing of the first but the bucket', async () => {
    await using world = await World.create({
      bucket,
      timings: { start_to_close: 60, heartbeat: 3 },
    });
    const first = await world.startWorker();
    const run = await world.start(planOf(HELD));
    await rendering(world);
    await first.kill();
    await world.startWorker({ env: { DATA_DIR: `${world.data_dir}-of-another` } });
    await world.control('POST', '/release', { all: true });
    await expectAllStored(world, run);
  });
});
