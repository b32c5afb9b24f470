/** The main job as its user sees it: a plan goes in, clips come out, and every failure is reported. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { artifactPath, jobPath } from '../support/stored-files.js';
import { media } from '../../src/adapters/media/media.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { apply } from '../../src/domain/job/progress.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const prompts = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `take ${String(index)} of a quiet harbour`);

/** A prediction as the provider shows it. */
async function look(world: World, id: string) {
  const headers = { authorization: 'Bearer r8_scenario' };
  const response = await fetch(`${world.simulator.url}/predictions/${id}`, { headers });
  return (await response.json()) as { urls: { web: string }; metrics: { predict_time?: number } };
}

describe('a job', () => {
  it('makes every clip of a plan once, in batches of five, and stores what was asked for', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(prompts(7), { min_successful_clips: 3 }));
    const job = (await run.handle.result()) as Job;

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 7, failed_clips: 0 });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 7, bills: { count: 7 }, peak_alive: 5 });
    for (const clip of job.clips) {
      const file = artifactPath(world.data_dir, job.job_id, clip.clip_index, 'video');
      const measured = await media.measure(file);
      expect(measured.duration).toBeCloseTo(clip.requested_duration, 1);
      const jpeg = await readFile(
        artifactPath(world.data_dir, job.job_id, clip.clip_index, 'thumbnail'),
      );
      expect(jpeg.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
      expect(clip.predictions).toHaveLength(1);
    }
    expect(job.total_cost_usd).toBeCloseTo(job.estimated_cost_usd ?? NaN, 6);
    expect(job.total_cost_usd).toBeCloseTo(stats.bills.usd, 6);
  });

  it("keeps a ledger that says of every attempt what the provider's ledger says", async () => {
    await using world = await World.create();
    await world.startWorker();
    const plan = planOf(['long', '[[fail-once]] a', '[[accept-then-drop]] b', '[[aborted]] c']);
    // Eight seconds cannot be had from this model: ten are asked for, and paid.
    plan.clip_prompts = plan.clip_prompts.map((clip, index) =>
      index === 0 ? { ...clip, duration: 8 } : clip,
    );
    const run = await world.start(plan);
    const job = await run.end();

    const theirs = (await world.stats()).predictions;
    const price = CATALOGUE.get(job.model)?.prices[0];
    expect(price).toMatchObject({ usd: 0.07, per: 'second' });
    expect(price?.as_of).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const expected = job.clips.map(({ prompt }) =>
      Promise.all(
        theirs
          .filter(({ input }) => input['prompt'] === prompt)
          .sort((one, other) => one.created_at.localeCompare(other.created_at))
          .map(async ({ id, status, created_at, completed_at, input, usd, billed }, index) => {
            const seen = await look(world, id);
            return {
              ...{ id, status, created_at, completed_at, billed },
              attempt: index + 1,
              url: seen.urls.web,
              predict_time: seen.metrics.predict_time ?? null,
              requested_duration: input['duration'],
              unit_price: price,
              cost_usd: usd,
              adopted: prompt.includes('accept-then-drop'),
            };
          }),
      ),
    );
    const ledger = job.clips.map(({ predictions }) => predictions);
    expect(ledger).toEqual(await Promise.all(expected));
    // Both ledgers, so that they are not wrong together.
    expect(
      ledger.map((lines) => lines.map((line) => [line.status, line.cost_usd, line.billed])),
    ).toEqual([
      [['succeeded', 0.7, true]],
      [
        ['failed', 0.35, true],
        ['succeeded', 0.35, true],
      ],
      [['succeeded', 0.35, true]],
      [
        ['aborted', 0, false],
        ['succeeded', 0.35, true],
      ],
    ]);
    expect(job.total_cost_usd).toBeCloseTo(2.1, 6);
  });

  it('numbers its events without gaps, and they fold to its result', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf([...prompts(2), '[[fail-once]] again', '[[flagged]]']));
    const job = await run.end();
    const events = await run.events();

    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const queued: Job = {
      ...job,
      seq: 0,
      status: 'queued',
      started_at: null,
      warnings: [],
      clips: job.clips.map((clip) => ({ ...clip, status: 'queued' })),
    };
    const folded = events.reduce(apply, queued);
    expect(folded).toEqual(job);
    const types = events.map(({ type }) => type);
    expect(types.at(0)).toBe('job.started');
    expect(types).toEqual(
      expect.arrayContaining([
        'batch.started',
        'clip.started',
        'clip.submitted',
        'clip.retrying',
        'clip.storing',
        'clip.completed',
        'clip.failed',
      ]),
    );
    expect(types.at(-1)).toBe('job.completed');

    const stored = JSON.parse(
      await readFile(jobPath(world.data_dir, job.job_id, 'job.json'), 'utf8'),
    ) as Job;
    expect(stored).toEqual(job);
    const lines = await readFile(jobPath(world.data_dir, job.job_id, 'events.jsonl'), 'utf8');
    const kept = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JobEvent);
    expect(kept).toEqual(events);
  });

  it('fails with InsufficientClips and the whole job when too few clips succeed', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[flagged]] a', 'fine', '[[invalid]] b'], { min_successful_clips: 2 }),
    );
    const failure: unknown = await run.handle.result().catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { type: 'InsufficientClips' } });
    const { details } = (failure as { cause: { details: [Job] } }).cause;
    expect(details[0]).toMatchObject({ status: 'failed', successful_clips: 1, failed_clips: 2 });
    const kinds = details[0].clips.map(({ error }) => error?.kind ?? null);
    expect(kinds).toEqual(['flagged', null, 'invalid_input']);
    expect((await world.stats()).creates).toBe(3);
  });

  it('refuses a bad plan whole, with every mistake, before anything is paid', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start({
      model: 'nobody/nothing',
      clip_prompts: [
        { clip_index: 0, prompt: '', duration: -1 },
        { clip_index: 0, prompt: 'b', duration: 5 },
      ],
    });
    const failure: unknown = await run.handle.result().catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { type: 'InvalidPlan' } });
    const { message } = (failure as { cause: Error }).cause;
    for (const path of ['model', 'clip_prompts.0.prompt', 'clip_prompts.0.duration']) {
      expect(message).toContain(path);
    }
    expect(await run.progress()).toMatchObject({
      status: 'failed',
      error: { kind: 'invalid_plan' },
    });
    expect((await world.stats()).creates).toBe(0);
  });

  it('keeps a window full without a barrier when asked to', async () => {
    await using world = await World.create();
    await world.startWorker();
    const slow = '[[hold:while-processing]] the slow one';
    const run = await world.start(
      planOf([slow, ...prompts(2)], { dispatch: 'window', batch_size: 2 }),
    );
    // With a barrier, nothing after clip 1 would start before clip 0 is done.
    await run.until('two clips done while the slow one runs', (job) => job.successful_clips === 2);
    expect((await world.stats()).peak_alive).toBe(2);
    await world.control('POST', '/release', { all: true });
    expect(await run.end()).toMatchObject({ status: 'succeeded', successful_clips: 3 });
  });
});
