/**
 * A job that was retried until its ledger has ten thousand lines resumes like any other: it is asked, canceled and retried, its
 * answers say what they leave out, and nothing is lost of it. It begins here as a further run of a chain does.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobPath } from '../support/stored-files.js';
import { startApi } from '../../src/api/server.js';
import type { RunningApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { CarriedJob } from '../../src/contract/activities.js';
import { initialJob } from '../../src/domain/job/initial-job.js';
import type { Clip, Job, JobEvent, Prediction } from '../../src/domain/job/job.schema.js';
import { byteLength } from '../../src/domain/plan/plan.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { withTotals } from '../../src/domain/job/progress.js';
import { problem } from '../../src/domain/job/failure-kinds.js';
import { eventsQuery, retryClipSignal, WORKFLOW_TYPE } from '../../src/contract/workflow.js';
import { planOf } from '../support/plans.js';
import { Run, World } from '../support/world.js';
import { accepted } from '../support/checked-plans.js';
import { artifactsIn } from '../support/stores.js';

const CLIPS = 25;
const LINES = 400;
const ANSWER_LIMIT = 1.5 * 2 ** 20;
const JOB = 'long-ledger';
const AT = '2026-11-01T12:00:00.000Z';

const plan = planOf(
  Array.from({ length: CLIPS }, (_, index) => `take ${String(index)}`),
  { max_cost_usd: 1_000_000, batch_size: 2, dispatch: 'window', stop_when_unreachable: false },
);

const lineOf = (clipIndex: number, place: number): Prediction => ({
  id: `earlier${String(clipIndex * LINES + place).padStart(19, '0')}`,
  attempt: 1,
  status: 'failed',
  url: `https://replicate.com/p/earlier${String(clipIndex * LINES + place).padStart(19, '0')}`,
  created_at: AT,
  completed_at: AT,
  predict_time: 92.5,
  requested_duration: 5,
  unit_price: null,
  cost_usd: 0.35,
  billed: true,
  adopted: false,
});

/** The first two clips are queued once more; the others have failed. */
function carried(): CarriedJob {
  const checked = accepted(plan);
  const identity = { job_id: JOB, run_id: 'r0', created_at: AT, simulated: true };
  const fresh = initialJob(checked.resolved, identity);
  const clips = fresh.clips.map((clip): Clip => {
    const predictions = Array.from({ length: LINES }, (_, place) => lineOf(clip.clip_index, place));
    const ended: Partial<Clip> =
      clip.clip_index < 2
        ? {}
        : { status: 'failed', completed_at: AT, error: problem('provider_error', 'it failed') };
    return { ...clip, predictions, cost_usd: LINES * 0.35, ...ended };
  });
  return {
    checked: {
      resolved: checked.resolved,
      simulated: true,
      timings: { start_to_close: 120, heartbeat: 15 },
    },
    job: withTotals({ ...fresh, status: 'paused', started_at: AT, clips }),
    events: [],
    clips: [],
    prepared: [],
    halt: null,
    batches: 0,
    retried: false,
  };
}

describe('a job with ten thousand predictions', () => {
  let world: World;
  let api: RunningApi;
  let run: Run;
  let early: Job;
  let job: Job;

  const post = async (route: string): Promise<number> =>
    (await fetch(`${api.url}/v1/jobs/${JOB}/${route}`, { method: 'POST' })).status;

  const archived = async (): Promise<Job> =>
    JSON.parse(await readFile(jobPath(world.data_dir, JOB, 'job.json'), 'utf8')) as Job;

  beforeAll(async () => {
    world = await World.create({ speed: 60 });
    await world.startWorker();
    api = await startApi(loadConfig(world.env), { port: 0 });
    const args: [Plan, { continued: CarriedJob }] = [plan, { continued: carried() }];
    const handle = await world.client.workflow.start(WORKFLOW_TYPE, {
      taskQueue: world.task_queue,
      workflowId: JOB,
      args,
    });
    run = new Run(handle);
    early = await run.progress();
  });
  afterAll(async () => {
    await api.close();
    await world[Symbol.asyncDispose]();
  });

  it('answers within the limit, and says what it leaves out', () => {
    expect(byteLength(early)).toBeLessThan(ANSWER_LIMIT);
    expect(early.clips).toHaveLength(CLIPS);
    expect(early.truncated?.predictions).toBeGreaterThan(CLIPS * (LINES - 2));
    expect(early.total_cost_usd).toBeCloseTo(CLIPS * LINES * 0.35, 6);
  });

  it('is retried, canceled and resumed, and comes to its end', async () => {
    await run.handle.signal(retryClipSignal, { clip_index: 2 });
    expect(await post('clips/1/cancel')).toBe(202);
    expect(await post('resume')).toBe(202);
    job = (await run.handle.result()) as Job;
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2, canceled_clips: 1 });
    expect(byteLength(job)).toBeLessThan(ANSWER_LIMIT);
    const page = await run.handle.query(eventsQuery, 0);
    expect(byteLength(page)).toBeLessThan(ANSWER_LIMIT);
    expect(page.events).toHaveLength(job.seq);
  });

  it('is archived and answered whole', async () => {
    const kept = await archived();
    const counts = kept.clips.map(({ predictions }) => predictions.length);
    expect(counts).toEqual([LINES + 1, LINES, LINES + 1, ...Array<number>(CLIPS - 3).fill(LINES)]);
    const answered = (await (await fetch(`${api.url}/v1/jobs/${JOB}`)).json()) as Job;
    expect(answered).toEqual(kept);
    const log: JobEvent[] = await artifactsIn(world.data_dir).loadEvents(JOB);
    expect(log).toHaveLength(kept.seq);
  });

  it('is retried once it is over, and forgets no line', async () => {
    expect(await post('retry')).toBe(202);
    await new Run(world.client.workflow.getHandle(JOB)).end();
    const whole = await archived();
    expect(whole).toMatchObject({ status: 'succeeded', successful_clips: CLIPS });
    const ids = whole.clips.flatMap(({ predictions }) => predictions.map(({ id }) => id));
    expect(new Set(ids).size).toBe(CLIPS * (LINES + 1));
    expect(whole.total_cost_usd).toBeCloseTo(CLIPS * (LINES + 1) * 0.35, 6);
  });
});
