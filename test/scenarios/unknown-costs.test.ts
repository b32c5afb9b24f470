/** Renders that are billed by a run time which the provider does not tell. */
import { describe, expect, it } from 'vitest';
import { emptyJob } from '../../src/domain/job/initial-job.js';
import { apply } from '../../src/domain/job/progress.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const MODEL = 'lightricks/ltx-video';

describe('a render without a metered run time', () => {
  it('is counted as of unknown cost, in the job, its events and its details; no total calls it free', async () => {
    await using world = await World.create();
    await world.startWorker();
    const prompts = ['[[no-metrics]] a heron', '[[no-metrics]] [[fail-once]] a heron', 'a heron'];
    const run = await world.start(planOf(prompts, { model: MODEL }));
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 3, unknown_costs: 3 });
    expect(job.clips.map(({ cost_usd }) => cost_usd === null)).toEqual([true, true, false]);
    expect(job.total_cost_usd).toBe(job.clips[2]?.cost_usd);
    const unmetered = job.clips[0]?.predictions[0];
    expect(unmetered).toMatchObject({ billed: true, cost_usd: null, predict_time: null });

    const events = await run.events();
    expect(events.at(-1)).toMatchObject({ type: 'job.completed', unknown_costs: 3 });
    const { job_id, run_id, created_at } = job;
    const start = emptyJob({ job_id, run_id, created_at, simulated: true });
    const folded = events.reduce(apply, { ...start, clips: job.clips });
    expect(folded.unknown_costs).toBe(3);

    const { currentDetails: details } = await run.handle.query<{ currentDetails: string }>(
      '__temporal_workflow_metadata',
    );
    expect(details).toContain(`at least $${job.total_cost_usd.toFixed(2)} of`);
    expect(details).toContain('| unknown |');
  });

  it('counts with its estimate for the cap', async () => {
    await using world = await World.create();
    await world.startWorker();
    const one = await world.start(planOf(['a heron'], { model: MODEL }));
    const estimate = (await one.end()).estimated_cost_usd ?? NaN;
    const prompts = ['[[no-metrics]] a heron', 'a heron'];
    const run = await world.start(
      planOf(prompts, { model: MODEL, batch_size: 1, max_cost_usd: estimate * 1.5 }),
    );
    const job = await run.end();
    expect(job.clips.map(({ status }) => status)).toEqual(['succeeded', 'canceled']);
    expect(job.clips[1]?.error).toMatchObject({ kind: 'over_budget' });
    expect(job.clips[1]?.error?.message).toContain('unknown costs counted with their estimates');
  });
});
