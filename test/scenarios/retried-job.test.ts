/** A finished job run again under its own id: the good clips are kept, and the log goes on. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Job, JobEvent } from '../../src/domain/job.js';
import { apply } from '../../src/domain/progress.js';
import { WORKFLOW_TYPE } from '../../src/workflows/contract.js';
import { createArtifactStore, jobPath } from '../../src/adapters/artifact-store.js';
import { planOf } from '../support/plans.js';
import { Run, World } from '../support/world.js';

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

    const events: JobEvent[] = await createArtifactStore(world.data_dir).loadEvents(workflowId);
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
