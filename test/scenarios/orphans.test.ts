/** G1, G4: no prediction is shared, forgotten or left alone, in the narrowest places where that could happen. */
import { describe, expect, it } from 'vitest';
import { cancelClipSignal, retryClipSignal } from '../../src/workflows/contract.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const timings = { start_to_close: 60, heartbeat: 3 };

const held = (world: World, point: string) =>
  eventually(`the simulator to hold ${point}`, async () => {
    const stats = await world.stats();
    return { done: stats.held.some((hold) => hold.point === point), value: stats };
  });

describe('a prediction', () => {
  it('that one clip waits to hear of is given back when a twin has found it first', async () => {
    await using world = await World.create();
    await world.startWorker();
    await world.control('POST', '/faults', { match: 'twins', fault: 'slow-answer:4', times: 1 });
    await world.control('POST', '/faults', { match: 'twins', fault: 'accept-then-drop', times: 1 });
    const run = await world.start(planOf(['twins at play', 'twins at play']));
    const job = await run.end();
    const ids = job.clips.flatMap(({ predictions }) => predictions.map(({ id }) => id));
    expect(job.successful_clips).toBe(2);
    expect(new Set(ids).size).toBe(2);
    expect((await world.stats()).creates).toBe(2);
  });

  it('whose create killed its worker is ended and booked when its clip is canceled before anybody looks', async () => {
    await using world = await World.create({ timings });
    const worker = await world.startWorker();
    const run = await world.start(planOf(['[[hold:after-accept]] [[stuck-processing]] a']));
    await held(world, 'after-accept');
    await worker.kill();
    await world.control('POST', '/release', { all: true });
    await run.handle.cancel();
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'canceled' });
    const { predictions } = await world.stats();
    expect(predictions[0]?.status).toMatch(/canceled|aborted/);
    expect(job.clips[0]?.predictions.map(({ id }) => id)).toEqual(predictions.map(({ id }) => id));
  });

  it('of an earlier round is not taken for the one whose answer was lost', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[E1001:1]] a', '[[hold:while-processing]] b'], { stop_when_unreachable: false }),
    );
    await run.until('the first clip to fail', (job) => job.clips[0]?.status === 'failed');
    await held(world, 'while-processing');
    await world.control('POST', '/faults', { match: 'E1001', fault: 'accept-then-drop', times: 1 });
    await run.handle.signal(retryClipSignal, { clip_index: 0 });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded' });
    expect(new Set(job.clips[0]?.predictions.map(({ id }) => id)).size).toBe(2);
    expect((await world.stats()).creates).toBe(3);
  });

  it('that has succeeded leaves its clip canceled, not failed, when the worker that stored it is dead', async () => {
    await using world = await World.create({ timings });
    const worker = await world.startWorker();
    const run = await world.start(planOf(['[[hold:before-file]] a', 'b']));
    await held(world, 'before-file');
    await worker.kill();
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    await world.control('POST', '/release', { all: true });
    await world.startWorker();
    const job = await run.end();
    expect(job.clips.map(({ status }) => status)).toEqual(['canceled', 'succeeded']);
    expect(job.clips[0]?.error?.kind).toBe('canceled');
  });

  it('that has succeeded leaves its clip canceled, not failed, when it is canceled while it is stored', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['[[slow-file:8]] a', 'b']));
    await run.until('the download', (job) => job.clips[0]?.status === 'storing');
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'canceled', error: { kind: 'canceled' } });
    expect(job.clips[0]?.predictions[0]).toMatchObject({ status: 'succeeded', billed: true });
  });
});
