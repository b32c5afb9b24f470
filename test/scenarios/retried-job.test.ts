/** A finished job run again under its own id: the good clips are kept, and the log continues. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import { apply } from '../../src/domain/job/progress.js';
import { WORKFLOW_TYPE } from '../../src/contract/workflow.js';
import { jobPath } from '../support/stored-files.js';
import { planOf } from '../support/plans.js';
import { eventually } from '../support/eventually.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { terminateAndRetry } from '../support/retry.js';
import { Run, World } from '../support/world.js';
import { artifactsIn } from '../support/stores.js';

describe('a terminated job that is retried', () => {
  it('waits for what it had left running, within its cap, instead of buying it again', async () => {
    await using world = await World.create();
    await world.startWorker();
    const stay = '[[hold:while-processing]]';
    const plan = planOf(['[[invalid:1]] a', `${stay} b`, `${stay} c`], {
      dispatch: 'window',
      batch_size: 2,
      min_successful_clips: 2,
      // Three clips, and the one that failed.
      max_cost_usd: 4 * 0.35,
    });
    const first = await world.start(plan);
    await first.until(
      'two clips rendering',
      ({ clips }) => clips[1]?.predictions.length === 1 && clips[2]?.predictions.length === 1,
    );
    const run = await terminateAndRetry(world, first);
    await run.until('both known to be on their way again', ({ clips }) =>
      [1, 2].every((index) => clips[index]?.status === 'running'),
    );
    expect(await world.stats()).toMatchObject({ creates: 3, cancels: 0 });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 3 });
    expect(job.clips.map(({ predictions }) => predictions.length)).toEqual([2, 1, 1]);
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 4, cancels: 0, peak_alive: 2 });
    expectSameLedger(stats, job);
  });

  it('finds the prediction whose create was on its way when it was terminated', async () => {
    await using world = await World.create();
    await world.startWorker();
    const first = await world.start(planOf(['[[hold:after-accept]] a heron']));
    await eventually('the create to be accepted', async () => {
      const { held } = await world.stats();
      return { done: held.length === 1, value: held };
    });
    const run = await terminateAndRetry(world, first);
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(job.clips[0]?.predictions).toMatchObject([{ adopted: true }]);
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, cancels: 0 });
    expectSameLedger(stats, job);
  });
});

describe('what a terminated job has left', () => {
  it('is stored when its render was just being downloaded, and not paid for again', async () => {
    await using world = await World.create();
    await world.startWorker();
    const first = await world.start(
      planOf(['[[slow-file:60]] a lighthouse'], { max_cost_usd: 0.4 }),
    );
    await first.until('it to be stored', ({ clips }) => clips[0]?.status === 'storing');
    const run = await terminateAndRetry(world, first);
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', actual_duration: 5 });
    expect(job.clips[0]?.predictions).toHaveLength(1);
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, bills: { count: 1 } });
    expectSameLedger(stats, job);
  });

  it('is tried again when its earlier deadline ends it, and leaves the clip its attempts', async () => {
    await using world = await World.create();
    await world.startWorker();
    const first = await world.start(planOf(['[[hold:while-processing]] a heron']));
    const { clips } = await first.until(
      'a render',
      (job) => job.clips[0]?.predictions.length === 1,
    );
    const run = await terminateAndRetry(world, first);
    await eventually('the clip to resume with it', async () => {
      const types = (await run.events()).map(({ type }) => type);
      return { done: types.includes('clip.submitted'), value: types };
    });
    // As the deadline does that it was created with.
    const id = clips[0]?.predictions[0]?.id ?? '';
    const headers = { authorization: 'Bearer r8_scenario' };
    await fetch(`${world.simulator.url}/predictions/${id}/cancel`, { method: 'POST', headers });
    await run.until('the next attempt', (job) => job.clips[0]?.predictions.length === 2);
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 2, retry_count: 1 });
    expect((await world.stats()).creates).toBe(2);
  });
});

describe('a retried job', () => {
  it('keeps its good clips unpaid, its ledger and its numbers, and every fold agrees', async () => {
    await using world = await World.create();
    await world.startWorker();
    const plan = planOf(['a', '[[invalid:1]] b', 'c'], { min_successful_clips: 3 });
    const first = await world.start(plan);
    const failed = await first.end();
    expect(failed).toMatchObject({ status: 'failed', successful_clips: 2 });

    const { workflowId } = first.handle;
    const handle = await world.client.workflow.start(WORKFLOW_TYPE, {
      taskQueue: world.task_queue,
      workflowId,
      args: [plan, { previous: failed }],
    });
    const again = new Run(handle);
    const job = (await handle.result()) as Job;
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 3, job_id: workflowId });
    expect((await world.stats()).creates).toBe(4);
    expect(job.clips[1]?.predictions.map(({ status }) => status)).toEqual(['failed', 'succeeded']);
    expect(job.total_cost_usd).toBeCloseTo((await world.stats()).bills.usd, 6);

    const events: JobEvent[] = await artifactsIn(world.data_dir).loadEvents(workflowId);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === 'job.started')).toHaveLength(2);
    expect(events.slice(failed.seq).reduce(apply, failed)).toEqual(job);
    expect(await again.progress()).toEqual(job);
  });

  it('canceled at once, still has the clips and the ledger of the run before it', async () => {
    await using world = await World.create();
    const worker = await world.startWorker();
    const plan = planOf(['a', '[[invalid:1]] b'], { min_successful_clips: 2 });
    const first = await world.start(plan);
    const failed = await first.end();
    await worker.kill();

    const { workflowId } = first.handle;
    const handle = await world.client.workflow.start(WORKFLOW_TYPE, {
      taskQueue: world.task_queue,
      workflowId,
      args: [plan, { previous: failed }],
    });
    await handle.cancel();
    await world.startWorker();
    const job = await new Run(handle).end();
    expect(job.clips.map(({ status }) => status)).toEqual(['succeeded', 'canceled']);
    expect(job).toMatchObject({ status: 'canceled', total_cost_usd: failed.total_cost_usd });
    expect(job.clips.map(({ predictions }) => predictions)).toEqual(
      failed.clips.map(({ predictions }) => predictions),
    );
    const stored = await readFile(jobPath(world.data_dir, workflowId, 'job.json'), 'utf8');
    expect(JSON.parse(stored)).toEqual(job);
  });
});
