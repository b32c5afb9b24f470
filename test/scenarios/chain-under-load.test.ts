/**
 * A chain of runs in which everything happens at once: every clip is limited in its rate and fails twice, users signal without a
 * pause, also at the moments at which one run gives way to the next, and the worker is replaced.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimulatorStats } from '../../src/simulator/stats.js';
import { jobPath } from '../support/stored-files.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import { pauseSignal, resumeSignal, setMaxCostSignal } from '../../src/contract/workflow.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { terminateAndRetry } from '../support/retry.js';
import { runsOf } from '../support/runs.js';
import type { RunOfChain } from '../support/runs.js';
import { World } from '../support/world.js';
import type { Run } from '../support/world.js';
import { artifactsIn } from '../support/stores.js';

const LIMITS = { events: 200, bytes: 10 * 2 ** 20 };
const CLIPS = 60;

/** What each accepted signal becomes: a change of the job, or a warning that it changed nothing. */
const isAnswer = (event: JobEvent): boolean =>
  event.type === 'job.paused' ||
  event.type === 'job.resumed' ||
  (event.type === 'job.warning' &&
    (event.max_cost_usd !== undefined || event.message.startsWith('signal ')));

describe('a chain of runs under load', () => {
  let world: World;
  let run: Run;
  let job: Job;
  let log: JobEvent[];
  let runs: RunOfChain[];
  let stats: SimulatorStats;
  /** Signals that the server has accepted. */
  let accepted = 0;

  /** One after the other without a pause, until the job is over: then the server refuses. */
  async function flood(): Promise<void> {
    for (let count = 0; ; count++) {
      try {
        await run.handle.signal(setMaxCostSignal, { max_cost_usd: 1_000 + count });
        accepted += 1;
        if (count % 20 !== 0) continue;
        await run.handle.signal(pauseSignal);
        accepted += 1;
        await run.handle.signal(resumeSignal);
        accepted += 1;
      } catch {
        return;
      }
    }
  }

  beforeAll(async () => {
    world = await World.create({ speed: 120 });
    await world.control('POST', '/settings', { creates_per_minute: 60_000 });
    await world.startWorker({ history_limits: LIMITS });
    const prompts = Array.from(
      { length: CLIPS },
      (_, index) => `[[fail-once:2]] [[http-429:1:1]] take ${String(index)}`,
    );
    run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 20 }));
    const flooded = flood();
    await eventually('a second run', async () => {
      const found = await runsOf(world, run.handle.workflowId);
      return { done: found.length > 1, value: found };
    });
    await world.deploy();
    job = (await run.handle.result()) as Job;
    await flooded;
    stats = await world.stats();
    log = await artifactsIn(world.data_dir).loadEvents(job.job_id);
    runs = await runsOf(world, job.job_id);
  }, 600_000);
  afterAll(() => world[Symbol.asyncDispose]());

  it('ends well, every clip paid for three times and not once more', () => {
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: CLIPS });
    expect(stats.creates).toBe(3 * CLIPS);
    expect(stats.peak_alive).toBeLessThanOrEqual(20);
    expectSameLedger(stats, job);
    expect(runs.length).toBeGreaterThan(2);
  });

  it('is archived whole', async () => {
    const kept = JSON.parse(
      await readFile(jobPath(world.data_dir, job.job_id, 'job.json'), 'utf8'),
    ) as Job;
    expect(kept).toEqual(job);
    expect(kept.clips.flatMap(({ predictions }) => predictions)).toHaveLength(3 * CLIPS);
    expect(log.map(({ seq }) => seq)).toEqual(
      Array.from({ length: job.seq }, (_, index) => index + 1),
    );
    const waits = log.filter((event) => event.type === 'job.warning' && event.waits_for === 'rate');
    expect(waits.length).toBeGreaterThanOrEqual(CLIPS);
    expect(job.warnings.length).toBeLessThanOrEqual(50);
    expect(job.warnings_total).toBe(log.filter(({ type }) => type === 'job.warning').length);
  });

  it('loses no signal, whenever it comes', () => {
    expect(accepted).toBeGreaterThan(100);
    expect(log.filter(isAnswer)).toHaveLength(accepted);
  });
});

it('a chain that is terminated and retried resumes with its whole ledger', async () => {
  await using world = await World.create({ speed: 60 });
  await world.startWorker({ history_limits: { events: 100, bytes: 10 * 2 ** 20 } });
  const prompts = Array.from(
    { length: 24 },
    (_, index) => `${index % 4 === 1 ? '[[fail-once]] ' : ''}take ${String(index)}`,
  );
  const first = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 4 }));
  await eventually('a third run', async () => {
    const found = await runsOf(world, first.handle.workflowId);
    return { done: found.length > 2, value: found };
  });
  await first.until('clips under way', ({ clips }) =>
    clips.some(({ status }) => status === 'running'),
  );
  const run = await terminateAndRetry(world, first);
  const job = await run.end();
  const stats = await world.stats();
  expect(job).toMatchObject({ status: 'succeeded', successful_clips: prompts.length });
  expect(stats).toMatchObject({ creates: 24 + 6, cancels: 0 });
  expectSameLedger(stats, job);
  const log = await artifactsIn(world.data_dir).loadEvents(job.job_id);
  expect(log.map(({ seq }) => seq)).toEqual(
    Array.from({ length: job.seq }, (_, index) => index + 1),
  );
});
