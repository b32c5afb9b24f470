/** Signals, from anywhere: those that make sense do what they say, the others become warnings. */
import { describe, expect, it } from 'vitest';
import {
  cancelClipSignal,
  pauseSignal,
  resumeSignal,
  retryClipSignal,
} from '../../src/contract/workflow.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

describe('pause', () => {
  it('lets running clips finish and starts no more until resume', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['a', 'b', 'c'], { batch_size: 2 }));
    await run.until('a clip submitted', (job) =>
      job.clips.some(({ predictions }) => predictions.length > 0),
    );
    await run.handle.signal(pauseSignal);
    const paused = await run.until('two clips done', (job) => job.successful_clips === 2);
    expect(paused).toMatchObject({ status: 'paused' });
    expect((await world.stats()).creates).toBe(2);
    await run.handle.signal(resumeSignal);
    expect(await run.end()).toMatchObject({ status: 'succeeded', successful_clips: 3 });
  });

  it('holds for a clip that was asked for in the moment before', async () => {
    await using world = await World.create();
    const worker = await world.startWorker();
    const plan = planOf(['[[invalid:1]] a', '[[hold:while-processing]] b'], { dispatch: 'window' });
    const run = await world.start(plan);
    await run.until(
      'one clip failed and one in flight',
      ({ clips: [a, b] }) => a?.status === 'failed' && b?.predictions.length === 1,
    );
    // Without a worker both wait, and the next one is told of them at once.
    await worker.terminate();
    await run.handle.signal(retryClipSignal, { clip_index: 0 });
    await run.handle.signal(pauseSignal);
    await world.startWorker();
    await run.until('a paused job', ({ status }) => status === 'paused');
    await world.control('POST', '/release', { all: true });
    await run.until('the other clip stored', ({ clips }) => clips[1]?.status === 'succeeded');
    await run.handle.signal(resumeSignal);
    expect(await run.end()).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    const types = (await run.events()).map(({ type }) => type);
    const [paused, resumed] = [types.indexOf('job.paused'), types.indexOf('job.resumed')];
    expect(types.slice(paused, resumed)).not.toContain('clip.started');
    expect(types.slice(resumed)).toContain('clip.started');
  });
});

describe('retryClip', () => {
  it('runs a failed clip again while the job runs, keeping the ledger of its first round', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['[[invalid:1]] a', '[[hold:while-processing]] b']));
    await run.until('a failed clip', (job) => job.failed_clips === 1);
    await run.handle.signal(retryClipSignal, { clip_index: 0 });
    await run.until('a clip queued again', (job) => job.clips[0]?.status === 'queued');
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2, failed_clips: 0 });
    expect(job.clips[0]).toMatchObject({ attempt: 1, retry_count: 0 });
    expect(job.clips[0]?.predictions.map(({ status }) => status)).toEqual(['failed', 'succeeded']);
    expect((await world.stats()).creates).toBe(3);
  });
});

describe('retryClip with the end that was seen', () => {
  it('pays once for one wish, however often and late it comes', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(
      planOf(['[[invalid]] a', '[[hold:while-processing]] b'], { dispatch: 'window' }),
    );
    const seen = await run.until('a failed clip', (job) => job.failed_clips === 1);
    const wish = { clip_index: 0, completed_at: seen.clips[0]?.completed_at ?? '' };
    await run.handle.signal(retryClipSignal, wish);
    await run.until(
      'the clip failed once more',
      ({ clips: [clip] }) => clip?.predictions.length === 2 && clip.status === 'failed',
    );
    // Sent before, and held up on its way until now.
    await run.handle.signal(retryClipSignal, wish);
    await run.until('a warning', (job) =>
      job.warnings.some((warning) => warning.includes('clip 0 not to have run again since')),
    );
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips.map(({ predictions }) => predictions.length)).toEqual([2, 1]);
    expect((await world.stats()).creates).toBe(3);
  });
});

describe('a signal that makes no sense', () => {
  it('becomes a warning, with any payload, and the job continues', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf(['[[hold:while-processing]] a']));
    await run.until('a clip submitted', (job) => job.clips[0]?.predictions.length === 1);
    const { handle } = run;
    await handle.signal(cancelClipSignal, { clip_index: 99 });
    await handle.signal('cancelClip');
    await handle.signal('retryClip', 'nonsense');
    await handle.signal(retryClipSignal, { clip_index: 0 });
    await handle.signal(resumeSignal);
    await handle.signal('setMaxCost', { max_cost_usd: -1 });
    await handle.signal('setMaxCost', null);
    await handle.signal('noSuchSignal', { a: 1 });
    await handle.signal('predictionCreated', 'garbage');
    await handle.signal('attemptFailed');
    await handle.signal('rateLimited', null);
    await run.until('a warning for each', (job) => job.warnings.length >= 8);
    await world.control('POST', '/release', { all: true });
    expect(await run.end()).toMatchObject({ status: 'succeeded' });
  });

  it('is kept for when the plan is checked, if it comes before', async () => {
    await using world = await World.create();
    const run = await world.start(planOf(['a', 'b']));
    await run.handle.signal(cancelClipSignal, { clip_index: 0 });
    await world.startWorker();
    const job = await run.end();
    expect(job.clips.map(({ status }) => status)).toEqual(['canceled', 'succeeded']);
    expect((await world.stats()).creates).toBe(1);
  });
});

describe('a paused job that is told', () => {
  it('to resume and to be canceled at once, when nothing could be run any more, is canceled', async () => {
    await using world = await World.create();
    const worker = await world.startWorker();
    const run = await world.start(
      planOf(['[[hold:while-processing]] [[flagged]] a', 'b', 'c'], {
        batch_size: 1,
        min_successful_clips: 3,
      }),
    );
    await run.until('a clip submitted', ({ clips }) => clips[0]?.predictions.length === 1);
    await run.handle.signal(pauseSignal);
    await world.control('POST', '/release', { all: true });
    await run.until('a failed clip', ({ failed_clips }) => failed_clips === 1);
    // The next worker is told of both in one task, of signals first.
    await worker.terminate();
    await run.handle.cancel();
    await run.handle.signal(resumeSignal);
    await world.startWorker();
    expect(await run.end()).toMatchObject({
      status: 'canceled',
      failed_clips: 1,
      canceled_clips: 2,
    });
    expect((await world.stats()).creates).toBe(1);
  });
});
