/** G1, G3: what one memory has lost, another still knows. */
import { describe, expect, it } from 'vitest';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { temporalServer } from '../support/temporal-server.js';
import { Run, World } from '../support/world.js';

const timings = { start_to_close: 60, heartbeat: 5 };
/** PENDING_ACTIVITY_STATE_STARTED */
const STARTED = 2;

const held = (world: World, point: string) =>
  eventually(`the simulator to hold ${point}`, async () => {
    const stats = await world.stats();
    return { done: stats.held.some((hold) => hold.point === point), value: stats };
  });

/** A job of one clip whose prediction runs, and is known to run. */
async function rendering(world: World): Promise<Run> {
  const run = await world.start(planOf(['[[hold:while-processing]] a']));
  await held(world, 'while-processing');
  await run.until(
    'its prediction in the ledger',
    ({ clips }) => clips[0]?.predictions.length === 1,
  );
  return run;
}

describe('heartbeat details that were cleared', () => {
  it('by `temporal activity reset` do not lead to a second prediction', async () => {
    await using world = await World.create({ timings });
    await world.startWorker();
    const run = await rendering(world);
    await world.client.workflowService.resetActivity({
      namespace: 'default',
      execution: { workflowId: run.handle.workflowId },
      id: 'clip-0',
      resetHeartbeat: true,
    });
    await eventually('another execution than the one that was reset', async () => {
      const { raw } = await run.handle.describe();
      const pending = raw.pendingActivities?.[0];
      return { done: pending?.state === STARTED && pending.lastFailure != null, value: pending };
    });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await world.stats()).toMatchObject({ creates: 1, bills: { count: 1 } });
  });

  it('by a reset while no worker is there, before anything was signaled, are made up for by the list', async () => {
    await using world = await World.create({ timings });
    const first = await world.startWorker();
    const run = await world.start(planOf(['[[hold:after-accept]] a']));
    await held(world, 'after-accept');
    await first.kill();
    await world.client.workflowService.resetActivity({
      namespace: 'default',
      execution: { workflowId: run.handle.workflowId },
      id: 'clip-0',
      resetHeartbeat: true,
    });
    await world.control('POST', '/release', { all: true });
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(job.clips[0]?.predictions[0]?.adopted).toBe(true);
    expect(await world.stats()).toMatchObject({ creates: 1, bills: { count: 1 } });
  });
});

describe('`temporal activity pause`', () => {
  it('leaves the prediction running, and `unpause` resumes with it, unpaid', async () => {
    await using world = await World.create({ timings });
    await world.startWorker();
    const run = await rendering(world);
    const activity = {
      namespace: 'default',
      execution: { workflowId: run.handle.workflowId },
      id: 'clip-0',
    };
    const pending = async () => (await run.handle.describe()).raw.pendingActivities?.[0];
    await world.client.workflowService.pauseActivity(activity);
    await eventually('the execution to have ended', async () => {
      const now = await pending();
      return { done: now?.paused === true && now.lastFailure != null, value: now };
    });
    expect(await world.stats()).toMatchObject({ creates: 1, cancels: 0 });
    await world.client.workflowService.unpauseActivity(activity);
    await eventually('another execution', async () => {
      const now = await pending();
      return { done: now?.state === STARTED && now.paused !== true, value: now };
    });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, cancels: 0, bills: { count: 1 } });
    expectSameLedger(stats, job);
  });
});

describe('the Temporal server', () => {
  it('killed and started again finds every prediction and pays for none again', async () => {
    await using server = await temporalServer();
    await using world = await World.create({ timings, address: server.address });
    const worker = await world.startWorker();
    const prompts = ['a', 'b', 'c'].map((name) => `[[hold:while-processing]] ${name}`);
    const run = await world.start(planOf(prompts));
    await run.until(
      'three clips submitted',
      (job) => job.clips.filter(({ predictions }) => predictions.length > 0).length === 3,
    );
    const before = server.pid();
    if (before === null) throw new Error('expected a running server');
    process.kill(before, 'SIGKILL');
    await eventually('another server', () => {
      const now = server.pid();
      return Promise.resolve({ done: now !== null && now !== before, value: now });
    });
    await eventually('three predictions that run', async () => {
      const stats = await world.stats();
      return { done: stats.held.length === 3, value: stats.held };
    });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 3 });
    expect(await world.stats()).toMatchObject({ creates: 3, bills: { count: 3 }, cancels: 0 });
    expect(worker.isRunning).toBe(true);
  });
});

describe('`temporal workflow reset` to the beginning', () => {
  it('of a finished job brings its videos back without paying for one again', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['a', '[[fail-once]] b', 'c']));
    expect(await run.end()).toMatchObject({ successful_clips: 3 });
    const before = (await world.stats()).creates;
    const { workflowId } = run.handle;
    await world.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId },
      // The end of the first workflow task; the type wants a Long, the wire takes a number.
      workflowTaskFinishEventId: 4 as never,
      reason: 'to see what it costs',
      requestId: 'reset-1',
    });
    const again = new Run(world.client.workflow.getHandle(workflowId));
    const job = await again.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 3 });
    expect((await world.stats()).creates).toBe(before);
  });
});
