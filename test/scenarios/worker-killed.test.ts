/** G1, G3: whatever happens to a worker, at whatever moment, a clip is paid for once. */
import { describe, expect, it } from 'vitest';
import { planOf } from '../support/plans.js';
import { eventually } from '../support/eventually.js';
import { World } from '../support/world.js';

/** Alive long enough for a test, silent short enough to be noticed in one. */
const timings = { start_to_close: 60, heartbeat: 3 };

/** Waits until the simulator holds something at a named point. */
const held = (world: World, point: string) =>
  eventually(`the simulator to hold ${point}`, async () => {
    const stats = await world.stats();
    return { done: stats.held.some((hold) => hold.point === point), value: stats };
  });

describe('a worker killed', () => {
  it.each([
    ['before its create is accepted', 'before-accept'],
    ['after its create was accepted, before the answer', 'after-accept'],
    ['while the prediction runs', 'while-processing'],
    ['while it polls', 'before-poll'],
    ['while it downloads', 'before-file'],
  ])('%s leads to one paid prediction', async (_when, point) => {
    await using world = await World.create({ timings });
    const first = await world.startWorker();
    const run = await world.start(planOf([`[[hold:${point}]] a lighthouse`]));
    await held(world, point);
    await first.kill();
    await world.control('POST', '/release', { all: true });
    await world.startWorker();
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1 });
    expect(job.clips[0]?.attempt).toBe(1);
    expect(job.clips[0]?.predictions).toHaveLength(1);
    expect(await world.stats()).toMatchObject({ creates: 1, bills: { count: 1 } });
  });

  it('ten times during one clip leaves it its attempts, and one prediction', async () => {
    await using world = await World.create({ timings });
    let worker = await world.startWorker();
    const run = await world.start(planOf(['[[hold:while-processing]] a long crossing']));
    await held(world, 'while-processing');
    for (let deploy = 0; deploy < 10; deploy++) {
      // Half of them crash, half are deployed.
      await (deploy % 2 === 0 ? worker.kill() : worker.terminate());
      worker = await world.startWorker();
      await eventually('the activity to run on the new worker', async () => {
        const { raw } = await run.handle.describe();
        const pending = raw.pendingActivities?.[0];
        return {
          done:
            pending?.state === 2 &&
            pending.lastWorkerIdentity?.startsWith(`${String(worker.pid)}@`) === true,
          value: pending,
        };
      });
    }
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1, retry_count: 0 });
    expect(await world.stats()).toMatchObject({ creates: 1, bills: { count: 1 }, cancels: 0 });
  }, 300_000);
});

describe('a worker stopped for a deploy', () => {
  it('hands five running clips over at once, cancels nothing, and uses up no attempt', async () => {
    await using world = await World.create({ timings });
    const first = await world.startWorker();
    const prompts = ['a', 'b', 'c', 'd', 'e'].map((name) => `[[hold:while-processing]] ${name}`);
    const run = await world.start(planOf(prompts));
    await run.until(
      'five clips submitted',
      (job) => job.clips.filter(({ predictions }) => predictions.length === 1).length === 5,
    );
    await eventually('the simulator to hold all five', async () => {
      const stats = await world.stats();
      return { done: stats.held.length === 5, value: stats };
    });
    await first.terminate();
    await world.startWorker();
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 5 });
    expect(await world.stats()).toMatchObject({ creates: 5, cancels: 0, bills: { count: 5 } });
    const history = await run.handle.fetchHistory();
    const retried = (history.events ?? []).filter(
      (event) => (event.activityTaskStartedEventAttributes?.attempt ?? 1) > 1,
    );
    expect(retried).toEqual([]);
  });
});
