/** G1, G3: a worker that dies at any moment leaves each clip paid for once. */
import { describe, expect, it } from 'vitest';
import { expectSameLedger } from '../support/provider-ledger.js';
import { planOf } from '../support/plans.js';
import { eventually } from '../support/eventually.js';
import { executionsOf } from '../support/history.js';
import { temporalServer } from '../support/temporal-server.js';
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
    ['before its create is accepted', 'before-accept', false],
    ['after its create was accepted, before the answer', 'after-accept', false],
    ['while the prediction runs', 'while-processing', true],
    ['while it polls', 'before-poll', true],
    ['while it asks for the file', 'before-file', true],
  ])('%s leads to one paid prediction', async (_when, point, isKnown) => {
    await using world = await World.create({ timings });
    const first = await world.startWorker();
    const run = await world.start(planOf([`[[hold:${point}]] a lighthouse`]));
    await held(world, point);
    if (isKnown) {
      await run.until(
        'its prediction in the ledger',
        ({ clips }) => clips[0]?.predictions.length === 1,
      );
    }
    await first.kill();
    await world.control('POST', '/release', { all: true });
    await world.startWorker();
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1 });
    expect(job.clips[0]?.attempt).toBe(1);
    expect(job.clips[0]?.predictions).toHaveLength(1);
    expect(await world.stats()).toMatchObject({ creates: 1, bills: { count: 1 } });
  });

  it('is followed at once by the next one on its machine, which waits for no time-out', async () => {
    // No time-out would notice its silence while this test lasts.
    await using world = await World.create({ timings: { start_to_close: 1200, heartbeat: 600 } });
    const first = await world.startWorker();
    const run = await world.start(
      planOf(['[[hold:while-processing]] a', '[[hold:after-accept]] b'], { dispatch: 'window' }),
    );
    await eventually('a render under way, and a create without an answer', async () => {
      const points = (await world.stats()).held.map(({ point }) => point).sort();
      return { done: points.join() === 'after-accept,while-processing', value: points };
    });
    await run.until('a known one', ({ clips }) => clips[0]?.predictions.length === 1);
    await first.kill();
    await world.startWorker();
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 2, bills: { count: 2 }, peak_alive: 2 });
    expectSameLedger(stats, job);
    const history = await run.handle.fetchHistory();
    expect(['clip-0', 'clip-1'].map((id) => executionsOf(history, id))).toEqual([[2], [2]]);
  });

  it('in the middle of a download leads to one paid prediction, and a whole file', async () => {
    await using world = await World.create({ timings });
    const first = await world.startWorker();
    const run = await world.start(planOf(['[[slow-file:60]] a lighthouse']));
    await eventually('bytes on their way', async () => {
      const { downloads, struck } = await world.stats();
      return { done: struck['slow-file'] === 1, value: { downloads, struck } };
    });
    await first.kill();
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1, actual_duration: 5 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, downloads: 2, bills: { count: 1 } });
    expectSameLedger(stats, job);
  });

  it('in the middle of a job leaves never more than batch_size predictions of it alive', async () => {
    await using world = await World.create({ timings });
    const first = await world.startWorker();
    const stay = '[[hold:while-processing]]';
    const prompts = ['a', 'b', 'c', `${stay} d`, `${stay} e`, `${stay} [[hold:after-accept]] f`];
    const run = await world.start(planOf([...prompts, 'g'], { dispatch: 'window', batch_size: 3 }));
    // Three are alive; the worker has no answer about the last of them, so that a second create makes four. It is the last
    // because the worker waits for the answer to a create for ten seconds only.
    await eventually('the second three to be held, one of them without an answer', async () => {
      const points = (await world.stats()).held.map(({ point }) => point).sort();
      const all = ['after-accept', ...Array<string>(3).fill('while-processing')];
      return { done: points.join() === all.join(), value: points };
    });
    await first.kill();
    await world.startWorker();
    await run.until('all three known again', ({ clips }) =>
      clips.slice(3, 6).every(({ predictions }) => predictions.length > 0),
    );
    await world.control('POST', '/release', { all: true });
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 7 });
    expect(job.clips[5]?.predictions).toMatchObject([{ adopted: true, attempt: 1 }]);
    expect(await world.stats()).toMatchObject({ creates: 7, bills: { count: 7 }, peak_alive: 3 });
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
    await using world = await World.create();
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
    // By itself: a worker that does not hand over is killed in the end, and its executions are not over.
    expect(await first.exited).toEqual([0, null]);
    await world.startWorker();
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 5 });
    expect(await world.stats()).toMatchObject({ creates: 5, cancels: 0, bills: { count: 5 } });
    const history = await run.handle.fetchHistory();
    for (const index of [0, 1, 2, 3, 4]) {
      // Twice scheduled, and each time executed once.
      expect(executionsOf(history, `clip-${String(index)}`)).toEqual([1, 1]);
    }
  });

  it('while Temporal does not answer, ends by itself, says what it could not hand over, and pays once', async () => {
    await using server = await temporalServer();
    await using world = await World.create({ address: server.address, timings });
    const first = await world.startWorker();
    const run = await world.start(planOf(['[[hold:while-processing]] a']));
    await run.until('a clip submitted', ({ clips }) => clips[0]?.predictions.length === 1);
    const pid = server.pid() ?? 0;
    process.kill(pid, 'SIGSTOP');
    await first.terminate();
    process.kill(pid, 'SIGCONT');
    expect(await first.exited, first.output).toEqual([0, null]);
    expect(first.output).toContain('closed before every execution was handed over');
    expect(first.output).not.toMatch(/^ +at /m);
    await world.startWorker();
    await world.control('POST', '/release', { all: true });
    expect((await run.end()).clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await world.stats()).toMatchObject({ creates: 1, cancels: 0, bills: { count: 1 } });
  });
});
