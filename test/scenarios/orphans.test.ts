/** G1, G4: no prediction is shared, forgotten or left alone, in the narrowest places where that could happen. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cancelClipSignal, retryClipSignal, sideQueue } from '../../src/contract/workflow.js';
import { eventually } from '../support/eventually.js';
import { queuesByType } from '../support/history.js';
import { planOf } from '../support/plans.js';
import { startProcess } from '../support/processes.js';
import { temporalServer } from '../support/temporal-server.js';
import { World } from '../support/world.js';

const timings = { start_to_close: 60, heartbeat: 3 };

const held = (world: World, point: string) =>
  eventually(`the simulator to hold ${point}`, async () => {
    const stats = await world.stats();
    return { done: stats.held.some((hold) => hold.point === point), value: stats };
  });

describe('a prediction', () => {
  it('that one clip waits to hear of is given back when another clip with the same input has found it first', async () => {
    await using world = await World.create();
    await world.startWorker();
    await world.control('POST', '/faults', { match: 'pair', fault: 'slow-answer:4', times: 1 });
    await world.control('POST', '/faults', { match: 'pair', fault: 'accept-then-drop', times: 1 });
    const run = await world.start(planOf(['a pair at play', 'a pair at play']));
    const job = await run.end();
    const ids = job.clips.flatMap(({ predictions }) => predictions.map(({ id }) => id));
    expect(job.successful_clips).toBe(2);
    expect(new Set(ids).size).toBe(2);
    expect((await world.stats()).creates).toBe(2);
  });

  it('whose create killed its worker is ended and in the ledger when its clip is canceled before a worker looks', async () => {
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
    // A search never stands before an end.
    const queues = queuesByType(await run.handle.fetchHistory());
    expect(queues).toMatchObject({
      endLost: sideQueue(world.task_queue, 'look'),
      settlePrediction: sideQueue(world.task_queue, 'ends'),
    });
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

describe('npm run orphans', () => {
  const script = fileURLToPath(new URL('../../dist/src/commands/orphans.js', import.meta.url));
  const run = async (world: World, ...words: string[]) => {
    const code = `import(${JSON.stringify(script)}).then((m) => m.main(${JSON.stringify(words)})).then((c) => process.exit(c))`;
    await using command = startProcess(['node', '-e', code], { env: world.env });
    return { code: await command.exit(), stdout: command.stdout, output: command.output };
  };

  it('lists what no job owns, ends only that, and leaves running jobs alone', async () => {
    await using server = await temporalServer();
    await using world = await World.create({ timings, address: server.address });
    expect(await run(world)).toMatchObject({ code: 0 });

    await world.startWorker();
    const job = await world.start(planOf(['[[hold:while-processing]] a']));
    await held(world, 'while-processing');
    const model = 'kwaivgi/kling-v2.5-turbo-pro';
    const response = await fetch(`${world.simulator.url}/models/${model}/predictions`, {
      method: 'POST',
      headers: { authorization: 'Bearer r8_scenario', 'content-type': 'application/json' },
      body: JSON.stringify({ input: { prompt: '[[stuck-processing]] of no job', duration: 5 } }),
    });
    const { id } = (await response.json()) as { id: string };

    const listed = await eventually('an orphan that is old enough', async () => {
      const value = await run(world, '--json');
      return { done: value.code === 1, value };
    });
    expect(JSON.parse(listed.stdout)).toMatchObject({
      predictions: 2,
      orphans: [{ id, model, estimated_cost_usd: 0.35, left_by: null, became: null }],
    });
    const canceled = await run(world, '--cancel');
    expect(canceled.code).toBe(0);
    expect(canceled.stdout).toMatch(/processing → canceled|starting → aborted/);

    await world.control('POST', '/release', { all: true });
    expect(await job.end()).toMatchObject({ status: 'succeeded' });
    expect((await world.stats()).cancels).toBe(1);
  });

  it('cancels nothing while it is unknown what a running job is about to adopt', async () => {
    await using server = await temporalServer();
    await using world = await World.create({ timings, address: server.address });
    const worker = await world.startWorker();
    await world.start(planOf(['[[hold:after-accept]] [[stuck-processing]] a']));
    await held(world, 'after-accept');
    await worker.kill();
    await world.control('POST', '/release', { all: true });
    const { code, output } = await run(world, '--cancel');
    expect(code).toBe(2);
    expect(output).toMatch(/start a worker/);
    expect((await world.stats()).cancels).toBe(0);
  });
});
