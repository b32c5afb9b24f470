/**
 * The largest plan that is accepted runs like any other: a thousand clips, a mebibyte of prompts. Every answer
 * stays below Temporal's limits, and readers get the whole log, also one that comes in the middle.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import { byteLength, MAX_PLAN_BYTES } from '../../src/domain/plan/plan.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { eventsQuery } from '../../src/contract/workflow.js';
import { answered } from '../support/eventually.js';
import { eventStream } from '../support/event-stream.js';
import { runsOf } from '../support/runs.js';
import { World } from '../support/world.js';
import type { Run } from '../support/world.js';

const CLIPS = 1_000;
/** Of one payload, by the server's default. */
const PAYLOAD_LIMIT = 2 * 1024 * 1024;
/** Of a history. */
const MAX_EVENTS = 51_200;
const MAX_BYTES = 50 * 1024 * 1024;

const padded = (text: string, length: number): string =>
  text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** As long as a plan may be. Few different prompts, so that few different videos have to be encoded. */
function largestPlan(): Plan {
  const planOf = (length: number): Plan => ({
    dispatch: 'window',
    batch_size: 50,
    min_successful_clips: CLIPS,
    clip_prompts: Array.from({ length: CLIPS }, (_, clip_index) => ({
      clip_index,
      prompt: padded(`Take ${String(clip_index % 4)} of a harbour in the rain. `, length),
      duration: 5,
    })),
  });
  return planOf(Math.floor((MAX_PLAN_BYTES - byteLength(planOf(0))) / CLIPS));
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a job of a thousand clips, from the largest plan there is', () => {
  const plan = largestPlan();
  let world: World;
  let run: Run;
  let job: Job;
  /** What two readers received: one there from the start, one that came in the middle to an API of its own. */
  let streamed: number[][];

  /** Follows the job from its first event to its end, through an API process of its own. */
  async function follow(onEvent: (event: JobEvent) => void): Promise<number[]> {
    const api = await startApi(loadConfig(world.env), { port: 0 });
    const seqs: number[] = [];
    const url = `${api.url}/v1/jobs/${run.handle.workflowId}/events?after=0`;
    for await (const event of eventStream(url)) {
      seqs.push(event.seq);
      onEvent(event);
    }
    await api.close();
    return seqs;
  }

  beforeAll(async () => {
    world = await World.create({
      speed: 2_000,
      worker: fileURLToPath(new URL('../support/unbraked-worker-process.mjs', import.meta.url)),
    });
    await world.control('POST', '/settings', {
      creates_per_minute: 60_000,
      requests_per_minute: 600_000,
      clip_max_width: 64,
    });
    await world.startWorker();
    run = await world.start(plan);
    const late: Promise<number[]>[] = [];
    const early = await follow(({ progress }) => {
      if (progress.succeeded <= CLIPS / 2 || late.length > 0) return;
      void run.handle.signal('pause');
      // The job resumes only when the late reader has read up to the pause.
      const resume = ({ type }: JobEvent): void => {
        if (type === 'job.paused') void run.handle.signal('resume');
      };
      late.push(follow(resume));
    });
    streamed = [early, ...(await Promise.all(late))];
    job = (await run.handle.result()) as Job;
  }, 1_200_000);
  afterAll(() => world[Symbol.asyncDispose]());

  it('runs to its end, each clip paid once', async () => {
    expect(byteLength(plan)).toBeGreaterThan(MAX_PLAN_BYTES - CLIPS);
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: CLIPS, failed_clips: 0 });
    expect(await world.stats()).toMatchObject({ creates: CLIPS, bills: { count: CLIPS } });
  });

  it('reaches every reader of its events whole, also one that comes in the middle', () => {
    expect(streamed).toEqual([numbers(job.seq), numbers(job.seq)]);
  });

  it('answers every query below the limit of a payload', async () => {
    // A worker that has let go of the job reads its whole history first, and the server waits for that for 30 s only.
    const progress = await answered('the job', () => run.progress());
    // The whole clips that events carry are longest at the end.
    const page = await answered('its last events', () =>
      run.handle.query(eventsQuery, job.seq - 500),
    );
    expect(progress).toEqual(job);
    expect(byteLength(progress)).toBeLessThan(PAYLOAD_LIMIT);
    // All 500, or the newest of them where the last run of the job began within them: the others are in the store.
    expect(page.events.length).toBeGreaterThan(0);
    const last = numbers(job.seq).slice(-page.events.length);
    expect(page.events.map(({ seq }) => seq)).toEqual(last);
    if ((await runsOf(world, run.handle.workflowId)).length === 1) {
      expect(page.events).toHaveLength(500);
    }
    expect(byteLength(page)).toBeLessThan(PAYLOAD_LIMIT);
  });

  it('leaves more than half of what a history may hold', async () => {
    const { historyLength, historySize } = await run.handle.describe();
    expect(historyLength).toBeLessThan(MAX_EVENTS / 2);
    expect(historySize).toBeLessThan(MAX_BYTES / 2);
  });
});
