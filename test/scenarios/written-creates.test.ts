/** W1: the disk tells what was sent. What was not is not looked for, and what was is never sent again. */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCreates } from '../../src/adapters/storage/create-log.js';
import { cancelClipSignal } from '../../src/contract/workflow.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { ROOT } from '../support/processes.js';
import { temporalServer } from '../support/temporal-server.js';
import type { Run } from '../support/world.js';
import { World } from '../support/world.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';

const timings = { start_to_close: 60, heartbeat: 3 };
const preload = path.join(ROOT, 'test/support/dies-at-create.mjs');
const mortal = { timings, env: { NODE_OPTIONS: `--import=${preload}` } };

type Point = 'before-note' | 'after-note' | 'before-answer';
const dies = (world: World): string => path.join(world.data_dir, 'dies');

/** Lets so many workers be killed at the point, one after the other. */
async function kill(world: World, point: Point, times: number): Promise<void> {
  await writeFile(dies(world), point);
  for (let death = 0; death < times; death++) await (await world.startWorker()).exited;
  await rm(dies(world));
}

/** How often the provider's list was asked for. */
const lists = async (world: World): Promise<number> =>
  (await world.stats()).reads['/v1/predictions'] ?? 0;

/** What was written down of the only clip. */
async function answers(world: World, run: Run): Promise<(string | null | undefined)[]> {
  const creates = createCreates(createDirectoryStore(world.data_dir)).of(run.handle.workflowId, 0);
  return (await creates.earlier()).creates.map(({ prediction_id }) => prediction_id);
}

describe('a worker killed', () => {
  it('before its create is written down costs no look at the list, and no attempt', async () => {
    await using world = await World.create(mortal);
    const run = await world.start(planOf(['a']));
    await kill(world, 'before-note', 4);
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await world.stats()).toMatchObject({ creates: 1, create_requests: 1 });
    expect(await lists(world)).toBe(0);
  });

  it('between that and the create is told from one that has created, and its clip is paid once', async () => {
    await using world = await World.create(mortal);
    const run = await world.start(planOf(['a']));
    await kill(world, 'after-note', 1);
    expect(await answers(world, run)).toEqual([undefined]);
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await world.stats()).toMatchObject({ creates: 1, create_requests: 1 });
    expect(await lists(world)).toBeGreaterThan(0);
    expect(await answers(world, run)).toEqual([null, job.clips[0]?.predictions[0]?.id]);
  });

  it('after its create, before the id is written down, is found by the list, and paid once', async () => {
    await using world = await World.create(mortal);
    const run = await world.start(planOf(['a']));
    await kill(world, 'before-answer', 1);
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, create_requests: 1 });
    expect(await lists(world)).toBeGreaterThan(0);
    expect(await answers(world, run)).toEqual([stats.predictions[0]?.id]);
    expectSameLedger(stats, job);
  });

  it('before its create is written down leaves a canceled clip nothing to be looked for', async () => {
    await using world = await World.create(mortal);
    const run = await world.start(planOf(['a']));
    await kill(world, 'before-note', 1);
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'canceled', predictions: [] });
    expect(await world.stats()).toMatchObject({ creates: 0, create_requests: 0 });
    expect(await lists(world)).toBe(0);
  });
});

describe('a Temporal database restored from before the clips were created', () => {
  it('resumes with their predictions, and pays for none again', async () => {
    await using server = await temporalServer();
    await using world = await World.create({ timings, address: server.address });
    // One at a time: two that render are read by the list, which is only to be searched here.
    const run = await world.start(planOf(['a', '[[fail-once]] b'], { batch_size: 1 }));
    const backup = path.join(server.data_dir, 'backup');
    const copy = (from: string, to: string): void => {
      for (const name of readdirSync(from).filter((file) => file.startsWith('temporal.db'))) {
        cpSync(path.join(from, name), path.join(to, name));
      }
    };
    await server.restart(() => {
      copy(server.data_dir, backup);
    });
    const worker = await world.startWorker();
    const before = await run.end();
    expect(before).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    await worker.kill();
    await server.restart(() => {
      for (const name of readdirSync(server.data_dir)) {
        if (/^temporal\.db(?:-wal|-shm)?$/.test(name)) rmSync(path.join(server.data_dir, name));
      }
      copy(backup, server.data_dir);
    });
    await world.startWorker();
    const restored = await eventually('the job to run again', async () => {
      const job = await run.progress().catch(() => null);
      return { done: job?.status === 'succeeded', value: job };
    });
    const ids = (job: typeof before | null) =>
      job?.clips.map(({ predictions }) => predictions.map(({ id }) => id));
    expect(ids(restored)).toEqual(ids(before));
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 3, create_requests: 3 });
    if (restored !== null) expectSameLedger(stats, restored);
    expect(await lists(world)).toBe(0);
  }, 300_000);
});
