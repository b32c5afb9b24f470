/** G4: no prediction is left running at the provider without a clip that waits for it. */
import { describe, expect, it } from 'vitest';
import { cancelClipSignal, sideQueue } from '../../src/contract/workflow.js';
import { eventually } from '../support/eventually.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { executionsOf, queuesOf } from '../support/history.js';
import { planOf } from '../support/plans.js';
import type { Run } from '../support/world.js';
import { World } from '../support/world.js';

const timings = { start_to_close: 60, heartbeat: 3 };

const submitted = (run: Run, count: number) =>
  run.until(
    `${String(count)} clips submitted`,
    (job) => job.clips.filter(({ predictions }) => predictions.length > 0).length === count,
  );

describe('a canceled job', () => {
  it('cancels its predictions at the provider, starts no more, and keeps its ledger', async () => {
    await using world = await World.create();
    await world.startWorker();
    const prompts = Array.from({ length: 7 }, (_, n) => `[[hold:while-processing]] ${String(n)}`);
    const run = await world.start(planOf(prompts));
    await submitted(run, 5);
    await eventually('five predictions that run', async () => {
      const stats = await world.stats();
      return { done: stats.held.length === 5, value: stats.held };
    });
    await run.handle.cancel();
    const job = await run.end();

    expect(job).toMatchObject({ status: 'canceled', canceled_clips: 7 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 5, cancels: 5 });
    expect(stats.predictions.every(({ status }) => status === 'canceled')).toBe(true);
    const lines = job.clips.flatMap(({ predictions }) => predictions);
    expect(lines.map(({ status }) => status)).toEqual(Array(5).fill('canceled'));
    expect(job.total_cost_usd).toBeCloseTo(stats.bills.usd, 6);
    expect((await run.handle.describe()).status.name).toBe('CANCELLED');
  });

  it('is canceled at the provider too when its worker is dead, as soon as one starts', async () => {
    await using world = await World.create({ timings });
    const worker = await world.startWorker();
    const run = await world.start(planOf(['[[hold:while-processing]] a']));
    await submitted(run, 1);
    await worker.kill();
    await run.handle.cancel();
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'canceled' });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, cancels: 1 });
    expect(job.clips[0]?.predictions[0]?.status).toBe(stats.predictions[0]?.status);
  });

  it('canceled before its plan was checked, ends with every clip of its plan canceled, unpaid', async () => {
    await using world = await World.create();
    const run = await world.start(planOf(['a', 'b', 'c']));
    await run.handle.cancel();
    await world.startWorker();
    const job = await run.end();
    expect(job).toMatchObject({ status: 'canceled', total_clips: 3, canceled_clips: 3 });
    expect(job.clips.map(({ status, error }) => [status, error?.kind])).toEqual(
      Array(3).fill(['canceled', 'canceled']),
    );
    expect((await run.handle.describe()).status.name).toBe('CANCELLED');
    expect((await world.stats()).creates).toBe(0);
  });
});

describe('a canceled clip', () => {
  it('ends alone, and the others continue', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['[[hold:while-processing]] a', 'b', 'c']));
    await submitted(run, 3);
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    const job = await run.end();
    expect(job.clips.map(({ status }) => status)).toEqual(['canceled', 'succeeded', 'succeeded']);
    expect(job.clips[0]?.error?.kind).toBe('canceled');
    const stats = await world.stats();
    expect(stats.cancels).toBe(1);
    expectSameLedger(stats, job);
  });

  it('whose create was never answered is found, ended, and accounted for', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[accept-then-drop]] [[hidden-from-list:3]] [[slow:60]] a']),
    );
    await eventually('an accepted create', async () => {
      const stats = await world.stats();
      return { done: stats.creates === 1, value: stats };
    });
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'canceled' });
    expect(job.clips[0]?.predictions).toHaveLength(1);
    const stats = await world.stats();
    expect(stats.predictions[0]?.status).toMatch(/canceled|aborted/);
    expectSameLedger(stats, job);
  });

  it('survives a provider that fails to cancel at first', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[hold:while-processing]] [[cancel-500:2]] [[cancel-reset:1]] a']),
    );
    await submitted(run, 1);
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    const job = await run.end();
    const stats = await world.stats();
    expect(stats.struck).toMatchObject({ 'cancel-500': 2, 'cancel-reset': 1 });
    expect(stats.predictions[0]?.status).toMatch(/canceled|aborted/);
    expectSameLedger(stats, job);
  });
});

describe('a clip whose budget of time is over', () => {
  it('is canceled at the provider and fails as timed_out, after one prediction', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[stuck-processing]] a', '[[slow:1]] b'], { clip_timeout: 15 }),
    );
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'failed', error: { kind: 'timed_out' } });
    expect(job.clips[1]).toMatchObject({ status: 'succeeded' });
    const stats = await world.stats();
    // The one that was canceled had run, so it is billed as well.
    expect(stats).toMatchObject({ creates: 2, cancels: 1, bills: { count: 2 } });
    const lines = job.clips.flatMap(({ predictions }) => predictions);
    expect(lines.map(({ status, billed }) => [status, billed])).toEqual([
      ['canceled', true],
      ['succeeded', true],
    ]);
    expect(job.total_cost_usd).toBeCloseTo(stats.bills.usd, 6);
    expect(job.total_cost_usd).toBeGreaterThan(0);
  });

  it('keeps a video that was finished while no worker was there to see it', async () => {
    await using world = await World.create({ timings });
    const worker = await world.startWorker();
    const run = await world.start(planOf(['[[slow:6]] a'], { clip_timeout: 10 }));
    await submitted(run, 1);
    await worker.kill();
    await eventually('the end of the render and of the budget', async () => {
      const { predictions } = await world.stats();
      const [prediction] = predictions;
      const isLate = Date.now() - Date.parse(prediction?.created_at ?? '') > 11_000;
      return { done: prediction?.status === 'succeeded' && isLate, value: prediction };
    });
    await world.startWorker();
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, bills: { count: 1 } });
    expect(job.total_cost_usd).toBeCloseTo(stats.bills.usd, 6);
  });
});

describe('a render that takes longer than start-to-close', () => {
  it('is handed back before its time-out, and takes one share of the limit of creates', async () => {
    await using world = await World.create({ timings: { start_to_close: 5, heartbeat: 3 } });
    await world.startWorker();
    const run = await world.start(planOf(['[[slow:20]] a']));
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1, retry_count: 0 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, cancels: 0, bills: { count: 1 } });
    expectSameLedger(stats, job);
    const history = await run.handle.fetchHistory();
    expect(queuesOf(history, 'clip-0')).toEqual(
      (['paid', 'hold'] as const).map((side) => sideQueue(world.task_queue, side)),
    );
    // Each of them was executed once: none timed out.
    expect(executionsOf(history, 'clip-0')).toEqual([1, 1]);
  });

  it('is ended by the provider itself when everything here has died for good', async () => {
    await using world = await World.create({ timings });
    const worker = await world.startWorker();
    const run = await world.start(planOf(['[[stuck-processing]] a'], { clip_timeout: 10 }));
    await submitted(run, 1);
    await worker.kill();
    // clip_timeout and the slack after it, in the provider's own hands.
    await eventually(
      'the deadline to end it',
      async () => {
        const { predictions } = await world.stats();
        return { done: predictions[0]?.status === 'canceled', value: predictions };
      },
      { timeout: 90_000 },
    );
    await run.handle.terminate();
  });
});
