/**
 * A job whose history becomes too long for one run continues in further runs, which only Temporal's own list shows.
 * The limits are small here, so that a job of some dozen clips meets them again and again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import {
  cancelClipSignal,
  pauseSignal,
  resumeSignal,
  setMaxCostSignal,
} from '../../src/contract/workflow.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventStream } from '../support/event-stream.js';
import { planOf } from '../support/plans.js';
import { runsOf } from '../support/runs.js';
import type { RunOfChain } from '../support/runs.js';
import { World } from '../support/world.js';
import type { Run } from '../support/world.js';

const LIMITS = { events: 110, bytes: 10 * 2 ** 20 };
/** Of the clips that are in flight when the limit is met: at most five, with three attempts each. */
const TAIL = 250;
const CLIPS = 30;

const prompts = Array.from({ length: CLIPS }, (_, index) => {
  if (index % 7 === 3) return `[[fail-once]] take ${String(index)}`;
  return index === 8 ? `[[flagged]] take ${String(index)}` : `take ${String(index)}`;
});

describe.each(['window', 'batches'] as const)('a long job that is dispatched in %s', (dispatch) => {
  let world: World;
  let run: Run;
  let job: Job;
  const streamed: JobEvent[] = [];
  let runs: RunOfChain[];

  beforeAll(async () => {
    world = await World.create({ speed: 60 });
    await world.startWorker({ history_limits: LIMITS });
    run = await world.start(planOf(prompts, { dispatch, batch_size: 5, max_cost_usd: 50 }));
    const api = await startApi(loadConfig(world.env), { port: 0 });
    const steps: Record<number, () => Promise<void>> = {
      10: () => run.handle.signal(pauseSignal),
      20: () => run.handle.signal(setMaxCostSignal, { max_cost_usd: 60 }),
      12: () => run.handle.signal(cancelClipSignal, { clip_index: CLIPS - 1 }),
    };
    for await (const event of eventStream(
      `${api.url}/v1/jobs/${run.handle.workflowId}/events?after=0`,
    )) {
      streamed.push(event);
      if (event.type === 'job.paused') await run.handle.signal(resumeSignal);
      const { succeeded } = event.progress;
      await steps[succeeded]?.();
      Reflect.deleteProperty(steps, succeeded);
    }
    await api.close();
    job = (await run.handle.result()) as Job;
    runs = await runsOf(world, run.handle.workflowId);
  }, 240_000);
  afterAll(() => world[Symbol.asyncDispose]());

  it('continues in new runs, each of which stays as short as it should', () => {
    expect(runs.length).toBeGreaterThan(2);
    expect(runs.filter(({ status }) => status === 'CONTINUED_AS_NEW')).toHaveLength(
      runs.length - 1,
    );
    expect(runs.filter(({ events }) => events > LIMITS.events + TAIL)).toEqual([]);
    expect(runs.map(({ run_id }) => run_id)).toContain(job.run_id);
  });

  it('pays for each clip what it would have paid in one run', async () => {
    const stats = await world.stats();
    const failedOnce = prompts.filter((prompt) => prompt.includes('fail-once')).length;
    expect(stats.creates).toBe(CLIPS - 1 + failedOnce);
    expect(stats.peak_alive).toBeLessThanOrEqual(5);
    expect(job).toMatchObject({
      status: 'succeeded',
      successful_clips: CLIPS - 2,
      failed_clips: 1,
      canceled_clips: 1,
      max_cost_usd: 60,
    });
    expectSameLedger(stats, job);
  });

  it('numbers its events without a gap, and they fold to its result', () => {
    expect(streamed.map(({ seq }) => seq)).toEqual(
      Array.from({ length: job.seq }, (_, index) => index + 1),
    );
    expect(streamed.filter(({ type }) => type === 'job.started')).toHaveLength(1);
  });

  it('has batches and warnings counted on, not anew', () => {
    const batches = streamed.flatMap((event) =>
      event.type === 'batch.started' ? [event.batch] : [],
    );
    expect(batches).toEqual(batches.map((_, index) => index + 1));
    expect(job.warnings_total).toBe(streamed.filter(({ type }) => type === 'job.warning').length);
  });
});
