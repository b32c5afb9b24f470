/** POST /v1/jobs/:job_id/final: a job of its own, once, and every refusal before anything starts. */
import { describe, expect, it } from 'vitest';
import { jobSchema } from '../../../src/domain/job/job.schema.js';
import type { Job } from '../../../src/domain/job/job.schema.js';
import type { Plan } from '../../../src/domain/plan/plan.schema.js';
import { seedOf } from '../../../src/domain/plan/quality.js';
import { harness, type Harness } from '../harness.js';
import { planWith } from '../../support/plans.js';

const final = (app: Harness['app'], payload?: object, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/v1/jobs/rough/final',
    headers,
    ...(payload === undefined ? {} : { payload }),
  });

const DRAFT: Partial<Plan> = {
  job_id: 'rough',
  model: 'bytedance/seedance-1-pro',
  quality: 'draft',
};

/** A draft of three clips, of which the last has failed. */
async function drafted({ over = true, ...more }: { over?: boolean } & Partial<Plan> = {}) {
  const world = await harness();
  const { app, jobs } = world;
  await app.inject({
    method: 'POST',
    url: '/v1/jobs',
    payload: planWith(3, { ...DRAFT, ...more }),
  });
  for (const [place, clip] of jobs.latest('rough').job.clips.entries()) {
    const [type, status] =
      place < 2 ? (['clip.completed', 'succeeded'] as const) : (['clip.failed', 'failed'] as const);
    jobs.tell('rough', { type, clip_index: clip.clip_index, clip: { ...clip, status } });
  }
  if (over) {
    jobs.tell('rough', { type: 'job.completed', error: null, total_cost_usd: 0.3 });
    jobs.closeRun('rough', 'completed');
  }
  return world;
}

describe('POST /v1/jobs/:job_id/final', () => {
  it('starts the finals of all clips that have succeeded, as a job that names its draft', async () => {
    const { app, jobs } = await drafted();
    const answer = await final(app);
    expect(answer.statusCode).toBe(202);
    const job = jobSchema.parse(answer.json());
    expect(answer.headers['location']).toBe(`/v1/jobs/${job.job_id}`);
    expect(job).toMatchObject({ draft_of: 'rough', quality: 'final', total_clips: 2 });
    const { plan } = jobs.latest(job.job_id).request as { plan: Plan };
    expect(plan.clip_prompts.map(({ seed }) => seed)).toEqual([
      seedOf('rough', 0),
      seedOf('rough', 1),
    ]);
    const draft = await app.inject('/v1/jobs/rough');
    expect(draft.json<Job>()).toMatchObject({ quality: 'draft', final_cost_usd: 3.15 });
    expect(draft.json<Job>().clips[1]?.seed).toBe(seedOf('rough', 1));
  });

  it('is one job for one key and the same clips, and none for other clips under that key', async () => {
    const { app, jobs } = await drafted();
    const key = { 'idempotency-key': 'finals' };
    const asked = await Promise.all([1, 2, 3].map(() => final(app, { clips: [1] }, key)));
    expect(asked.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 202]);
    expect(new Set(asked.map((answer) => answer.json<Job>().job_id)).size).toBe(1);
    expect((await final(app, { clips: [0] }, key)).statusCode).toBe(409);
    expect(jobs.runs.size).toBe(2);
    expect((await final(app, { clips: [1], job_id: 'fine' })).statusCode).toBe(202);
    expect((await final(app, { clips: [1], job_id: 'fine' })).statusCode).toBe(200);
  });

  it.each([
    [{ clips: [2] }, 400, 'clips.0', 'expected a clip of "rough" that succeeded, got 2'],
    [{ clips: [] }, 400, 'clips', 'expected'],
    [{ clip: [1] }, 400, '', 'clip'],
    [{ max_cost_usd: 0.01 }, 400, 'max_cost_usd', 'expected at least'],
  ])('refuses %j in a sentence, and starts nothing', async (wishes, status, path, words) => {
    const { app, jobs } = await drafted();
    const answer = await final(app, wishes);
    const { errors } = answer.json<{ errors: { path: string; message: string }[] }>();
    expect([answer.statusCode, errors.map((error) => error.path)]).toEqual([status, [path]]);
    expect(errors[0]?.message).toContain(words);
    expect(jobs.runs.size).toBe(1);
  });

  it('refuses the finals of a job that is no draft, or does not exist', async () => {
    const { app, jobs } = await drafted({ quality: 'final' });
    const answer = await final(app);
    expect([answer.statusCode, answer.json<{ detail: string }>().detail]).toEqual([
      409,
      'expected a job of quality "draft", "rough" is none',
    ]);
    const url = '/v1/jobs/unknown/final';
    expect((await app.inject({ method: 'POST', url })).statusCode).toBe(404);
    expect(jobs.runs.size).toBe(1);
  });

  it('waits for the end of a draft, unless the clips are named', async () => {
    const { app } = await drafted({ over: false });
    const answer = await final(app);
    expect(answer.statusCode).toBe(409);
    expect(answer.json<{ detail: string }>().detail).toContain('name the clips, or wait');
    expect((await final(app, { clips: [0] })).statusCode).toBe(202);
  });
});
