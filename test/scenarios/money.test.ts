/** The cap, the ledger, and the jobs that stop because another clip would only cost. */
import { describe, expect, it } from 'vitest';
import { clipMemoryQuery, setMaxCostSignal } from '../../src/contract/workflow.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

/** Five seconds of the default model. */
const CLIP_USD = 0.35;

describe('max_cost_usd', () => {
  it('is never exceeded: what no longer fits is not started, and the job ends truthfully', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['a', 'b', 'c', 'd', 'e', 'f'], { max_cost_usd: 4 * CLIP_USD }),
    );
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 4, canceled_clips: 2 });
    const refused = job.clips.filter(({ status }) => status === 'canceled');
    expect(refused.map(({ error }) => error?.kind)).toEqual(['over_budget', 'over_budget']);
    const stats = await world.stats();
    expect(stats.creates).toBe(4);
    expect(stats.bills.usd).toBeLessThanOrEqual(4 * CLIP_USD + 1e-9);
  });

  it("counts retries: a next attempt that does not fit fails its clip, with the provider's last word", async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[fail-always]] a', 'b'], { max_cost_usd: 3 * CLIP_USD }),
    );
    const job = await run.end();
    expect(job.clips[1]?.status).toBe('succeeded');
    expect(job.clips[0]).toMatchObject({ status: 'failed', error: { kind: 'over_budget' } });
    expect(job.clips[0]?.error?.message).toContain('E9828');
    const stats = await world.stats();
    expect(stats.creates).toBe(3);
    expect(job.total_cost_usd).toBeCloseTo(stats.bills.usd, 6);
    expect(job.total_cost_usd).toBeLessThanOrEqual(3 * CLIP_USD + 1e-9);
  });

  it('can be raised while the job runs', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[hold:while-processing]] a', 'b', 'c'], {
        max_cost_usd: 2 * CLIP_USD,
        dispatch: 'window',
      }),
    );
    // There is room in the window by then, and none under the cap.
    const before = await run.until(
      'one clip stored and one in flight',
      ({ clips: [a, b] }) => a?.predictions.length === 1 && b?.status === 'succeeded',
    );
    expect(before.clips[2]).toMatchObject({ status: 'queued', predictions: [] });
    expect((await world.stats()).creates).toBe(2);
    await run.handle.signal(setMaxCostSignal, { max_cost_usd: 10 });
    await run.until('the third clip', ({ clips }) => clips[2]?.status === 'succeeded');
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ successful_clips: 3, max_cost_usd: 10 });
    expect(job.warnings.join()).toContain('cap');
    const stats = await world.stats();
    expect(stats.creates).toBe(3);
    expectSameLedger(stats, job);
  });

  it('can be raised for a clip that has failed once and waits for its next attempt', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['[[E004]] a'], { max_cost_usd: CLIP_USD }));
    await eventually('a next attempt that does not fit', async () => {
      const memory = await run.handle.query(clipMemoryQuery, 0).catch(() => null);
      return { done: memory?.granted === false, value: memory };
    });
    await run.handle.signal(setMaxCostSignal, { max_cost_usd: 2 * CLIP_USD });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 2, retry_count: 1 });
    const stats = await world.stats();
    expect(stats.creates).toBe(2);
    expectSameLedger(stats, job);
  });

  it('is refused with the plan when no cheap enough success is possible', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['a', 'b'], { max_cost_usd: 0.5, min_successful_clips: 2 }),
    );
    const failure: unknown = await run.handle.result().catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { type: 'InvalidPlan' } });
    expect((failure as { cause: Error }).cause.message).toMatch(/0\.5.*0\.7|0\.7.*0\.5/s);
    expect((await world.stats()).creates).toBe(0);
  });
});

describe('a provider that refuses the account', () => {
  it.each([
    ['http-402', 'insufficient_credit', /billing/],
    ['http-401', 'unauthorized', /REPLICATE_API_TOKEN/],
    ['spend-limit', 'insufficient_credit', /limit/],
  ])(
    '(%s) stops the clips not started, lets running ones finish, and names the fix once',
    async (fault, kind, fix) => {
      await using world = await World.create();
      await world.startWorker();
      const prompts = ['a', 'b', `[[${fault}]] c`, 'd', 'e', 'f', 'g'];
      const run = await world.start(planOf(prompts));
      const job = await run.end();
      expect(job.clips.map(({ status }) => status)).toEqual([
        'succeeded',
        'succeeded',
        'failed',
        'succeeded',
        'succeeded',
        'canceled',
        'canceled',
      ]);
      expect(job.clips[2]).toMatchObject({ error: { kind, retryable: false }, predictions: [] });
      expect(job.clips[6]?.error?.kind).toBe(kind);
      const warnings = job.warnings.filter((warning) => fix.test(warning));
      expect(warnings).toHaveLength(1);
      const stats = await world.stats();
      expect(stats.creates).toBe(4);
      expectSameLedger(stats, job);
    },
  );
});

describe('a job that cannot reach its minimum any more', () => {
  const prompts = ['[[flagged]] a', '[[flagged]] b', 'c', 'd', 'e', 'f'];

  it('starts no further batch', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(prompts, { min_successful_clips: 5 }));
    const job = await run.end();
    expect(job.status).toBe('failed');
    expect(job.clips[5]).toMatchObject({ status: 'canceled', error: { kind: 'unreachable' } });
    expect((await world.stats()).creates).toBe(5);
  });

  it('resumes when told to', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(prompts, { min_successful_clips: 5, stop_when_unreachable: false }),
    );
    const job = await run.end();
    expect(job).toMatchObject({ status: 'failed', successful_clips: 4 });
    expect((await world.stats()).creates).toBe(6);
  });
});

describe('many clips at once', () => {
  it("are read far below the provider's limit, and every end is noticed", async () => {
    await using world = await World.create({ speed: 4 });
    await world.startWorker();
    const prompts = Array.from({ length: 40 }, (_, n) => `[[slow:20]] ${String(n)}`);
    const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 40 }));
    const job = await run.end();
    expect(job.successful_clips).toBe(40);
    const { reads } = await world.stats();
    const total = Object.values(reads).reduce((sum, count) => sum + count, 0);
    // One by one and every second it would be 40 × 20 = 800.
    expect(total).toBeLessThan(400);
  });
});
