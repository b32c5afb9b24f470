import { describe, expect, it, vi } from 'vitest';
import { jobSchema, snapshotSchema } from '../../../src/domain/job/job.schema.js';
import type { Job } from '../../../src/domain/job/job.schema.js';
import { canonicalJson } from '../../../src/domain/values/canonical-json.js';
import { harness } from '../harness.js';
import { planWith } from '../../support/plans.js';

interface Problem {
  status: number;
  detail: string;
  errors: { path: string; message: string }[];
}

const ENDED = '2026-11-25T10:00:00.000Z';

const post = (url: string, payload: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url,
  headers,
  payload: payload as object,
});

describe('POST /v1/jobs', () => {
  it('answers 202 with the queued job, and where it is', async () => {
    const { app, jobs } = await harness();
    const answer = await app.inject(post('/v1/jobs', planWith(3, { job_id: 'trailer' })));
    expect(answer.statusCode).toBe(202);
    expect(answer.headers['location']).toBe('/v1/jobs/trailer');
    const job = jobSchema.parse(answer.json());
    expect(job).toMatchObject({ job_id: 'trailer', status: 'queued', total_clips: 3, seq: 0 });
    expect(jobs.latest('trailer').request).toMatchObject({
      plan: planWith(3, { job_id: 'trailer' }),
      summary: '3 clips · kwaivgi/kling-v2.5-turbo-pro',
    });
  });

  it('starts one job for a repeated job_id with the same plan, however it is spelled', async () => {
    const { app, jobs } = await harness();
    const plan = planWith(2, { job_id: 'a' });
    await app.inject(post('/v1/jobs', plan));
    const reordered = JSON.parse(canonicalJson(plan)) as object;
    const again = await app.inject(post('/v1/jobs', reordered));
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({ job_id: 'a' });
    expect(jobs.runs.get('a')).toHaveLength(1);
  });

  it('starts one job for the same plan with nulls, the noise of floats, or halves of characters', async () => {
    const { app, jobs } = await harness();
    const variant = (clip: object, more: object) => ({
      ...planWith(2, { job_id: 'a' }),
      clip_prompts: [{ clip_index: 0, prompt: 'half \ufffd', duration: 5, ...clip }],
      ...more,
    });
    const first = variant({ metadata: { '\ufffd': [0.1] } }, { max_cost_usd: 1.3, batch_size: 3 });
    expect((await app.inject(post('/v1/jobs', first))).statusCode).toBe(202);
    const asWritten = variant(
      { prompt: 'half \ud83d', duration: 8.3 - 3.3, metadata: { '\udc00': [0.1] }, seed: null },
      { max_cost_usd: 1.1 + 0.2, batch_size: 3.0000000000000004, settings: null, model: null },
    );
    const again = await app.inject(post('/v1/jobs', asWritten));
    expect([again.statusCode, again.json<Job>().job_id]).toEqual([200, 'a']);
    expect(jobs.runs.get('a')).toHaveLength(1);
    const other = variant({ duration: 5.000001 }, { max_cost_usd: 1.3, batch_size: 3 });
    expect((await app.inject(post('/v1/jobs', other))).statusCode).toBe(409);
  });

  it('answers 409 for a job_id that another plan has', async () => {
    const { app } = await harness();
    await app.inject(post('/v1/jobs', planWith(2, { job_id: 'a' })));
    const other = await app.inject(post('/v1/jobs', planWith(3, { job_id: 'a' })));
    expect(other.statusCode).toBe(409);
    expect(other.headers['content-type']).toContain('application/problem+json');
  });

  it('starts one job for one Idempotency-Key, even for two askers at once', async () => {
    const { app, jobs } = await harness();
    const ask = (clips: number) =>
      app.inject(post('/v1/jobs', planWith(clips), { 'idempotency-key': 'order 66' }));
    const answers = await Promise.all([ask(2), ask(2), ask(2)]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 202]);
    expect(new Set(answers.map((answer) => answer.json<Job>().job_id)).size).toBe(1);
    expect(jobs.runs.size).toBe(1);
    expect((await ask(1)).statusCode).toBe(409);
  });

  it('knows a finished job that Temporal has forgotten', async () => {
    const { app, jobs, archive } = await harness();
    await app.inject(post('/v1/jobs', planWith(2, { job_id: 'a' })));
    jobs.tell('a', { type: 'job.completed', error: null, total_cost_usd: 0 });
    await archive.save(jobs.latest('a').job, jobs.log('a'));
    jobs.runs.clear();
    const same = await app.inject(post('/v1/jobs', planWith(2, { job_id: 'a' })));
    expect([same.statusCode, same.json<Job>().status]).toEqual([200, 'succeeded']);
    const other = await app.inject(post('/v1/jobs', planWith(1, { job_id: 'a' })));
    expect(other.statusCode).toBe(409);
    expect(jobs.runs.size).toBe(0);
  });

  it('lists every mistake with its path, and starts nothing', async () => {
    const { app, jobs } = await harness();
    const plan = {
      colour: 'red',
      aspect_ratio: '7:3',
      clip_prompts: [
        { clip_index: 0, prompt: 'x', duration: -1 },
        { clip_index: 0, prompt: '', duration: 5 },
      ],
    };
    const answer = await app.inject(post('/v1/jobs', plan));
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    const paths = answer.json<Problem>().errors.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['clip_prompts.0.duration', 'clip_prompts.1.prompt']),
    );
    expect(paths.length).toBeGreaterThanOrEqual(3);
    expect(jobs.runs.size).toBe(0);
  });

  it.each([
    ['a body that is not JSON', '{"clip_prompts": [', 'application/json', 400],
    ['no body', '', 'application/json', 400],
    ['a list', '[]', 'application/json', 400],
    ['null', 'null', 'application/json', 400],
    ['another content type', 'a=1', 'application/x-www-form-urlencoded', 415],
    ['text', '{}', 'text/plain', 415],
    ['a body above 1 MiB', `"${'x'.repeat(1024 * 1024)}"`, 'application/json', 413],
    ['a polluting key', '{"__proto__": {"a": 1}}', 'application/json', 400],
  ])('refuses %s', async (_name, payload, type, status) => {
    const { app } = await harness();
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/jobs',
      payload,
      headers: { 'content-type': type },
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json<Problem>()).toMatchObject({ status });
  });

  it.each(['', ' ', 'x'.repeat(256), 'ä'])('refuses the key "%s"', async (key) => {
    const { app, jobs } = await harness();
    const answer = await app.inject(post('/v1/jobs', planWith(1), { 'idempotency-key': key }));
    expect(answer.statusCode).toBe(400);
    expect(jobs.runs.size).toBe(0);
  });

  it('says 503 and when to come back while Temporal is away', async () => {
    const { app, jobs } = await harness();
    jobs.temporal = false;
    const answer = await app.inject(post('/v1/jobs', planWith(1)));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('5');
  });
});

describe('POST /v1/jobs/estimate', () => {
  it('answers what would be asked for and paid, and starts nothing', async () => {
    const { app, jobs } = await harness();
    const plan = planWith(1);
    plan.clip_prompts[0] = { clip_index: 0, prompt: 'x', duration: 5.1 };
    const answer = await app.inject(post('/v1/jobs/estimate', plan));
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      clips: [{ target_duration: 5.1, requested_duration: 10, cost_increase_percent: 100 }],
      cost_increase_percent: 100,
    });
    expect(jobs.runs.size).toBe(0);
  });

  it('refuses what starting refuses, in the same words', async () => {
    const { app } = await harness();
    const bad = { clip_prompts: [{ clip_index: 0, prompt: 'x', duration: 61 }], nonsense: true };
    const [estimate, start] = await Promise.all([
      app.inject(post('/v1/jobs/estimate', bad)),
      app.inject(post('/v1/jobs', bad)),
    ]);
    expect(estimate.statusCode).toBe(400);
    expect(estimate.json<Problem>().errors).toEqual(start.json<Problem>().errors);
  });
});

describe('GET /v1/jobs/:job_id', () => {
  it('answers the job as the workflow has it', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 2);
    const answer = await app.inject({ url: '/v1/jobs/a' });
    expect(snapshotSchema.parse(answer.json())).toMatchObject({ seq: 2, job_id: 'a' });
    expect(answer.json()).not.toHaveProperty('stale');
  });

  it('answers 404 for a job that does not exist', async () => {
    const { app } = await harness();
    const answer = await app.inject({ url: '/v1/jobs/none' });
    expect(answer.json<Problem>()).toMatchObject({ status: 404, detail: 'there is no job "none"' });
  });

  it('answers from the last known state when no worker does, with what Temporal itself knows', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    jobs.worker = false;
    const next_attempt_at = '2030-01-01T00:00:00.000Z';
    jobs.pend('a', [
      {
        activity_id: 'clip-0',
        state: 'scheduled',
        next_attempt_at,
        last_started_at: null,
        last_error: 'boom',
        heartbeat: null,
      },
    ]);
    const job = snapshotSchema.parse((await app.inject({ url: '/v1/jobs/a' })).json());
    expect(job).toMatchObject({ stale: true, source: 'history', total_clips: 2 });
    expect(job.clips[0]).toMatchObject({ status: 'retrying', next_attempt_at });
    jobs.worker = true;
    jobs.warn('a', 1);
    await app.inject({ url: '/v1/jobs/a' });
    jobs.worker = false;
    expect((await app.inject({ url: '/v1/jobs/a' })).json()).toMatchObject({
      seq: 1,
      source: 'memory',
    });
  });

  it('shows a terminated job as failed, independent of the last answer of its workflow', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    jobs.closeRun('a', 'terminated', {
      job: null,
      error: { kind: 'internal', message: 'the workflow was terminated', retryable: false },
    });
    expect((await app.inject({ url: '/v1/jobs/a' })).json()).toMatchObject({
      status: 'failed',
      error: { kind: 'internal', message: 'the workflow was terminated' },
      canceled_clips: 2,
    });
  });

  it('answers a finished job with neither worker nor Temporal, and says that it may be running again', async () => {
    const { app, jobs, archive } = await harness();
    jobs.add('a');
    jobs.tell('a', { type: 'job.completed', error: null, total_cost_usd: 0 });
    await archive.save(jobs.latest('a').job, jobs.log('a'));
    jobs.temporal = false;
    const answer = await app.inject({ url: '/v1/jobs/a' });
    expect(snapshotSchema.parse(answer.json())).toMatchObject({
      status: 'succeeded',
      stale: true,
      source: 'archive',
    });
  });
});

describe('GET /v1/jobs', () => {
  it('pages through all jobs, each once', async () => {
    const { app, jobs } = await harness();
    const names = Array.from({ length: 7 }, (_, index) => `job-${String(index)}`);
    for (const name of names) jobs.add(name);
    const found: string[] = [];
    for (let cursor: string | null = null; ;) {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page = (await app.inject({ url: `/v1/jobs?limit=3${query}` })).json<{
        jobs: Job[];
        next_cursor: string | null;
      }>();
      found.push(...page.jobs.map(({ job_id }) => job_id));
      cursor = page.next_cursor;
      if (cursor === null) break;
    }
    expect(found.sort()).toEqual(names);
  });

  it('fills a page of one status', async () => {
    const { app, jobs } = await harness();
    for (let index = 0; index < 8; index += 1) {
      jobs.add(`job-${String(index)}`);
      if (index % 2 === 0) jobs.tell(`job-${String(index)}`, { type: 'job.paused' });
    }
    const page = (await app.inject({ url: '/v1/jobs?status=paused&limit=4' })).json<{
      jobs: Job[];
    }>();
    expect(page.jobs.map(({ status }) => status)).toEqual(Array(4).fill('paused'));
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1.5',
    'limit=',
    'status=odd',
    'cursor=',
    'model=',
    'label=',
    'q=',
  ])('refuses ?%s', async (query) => {
    const { app } = await harness();
    const answer = await app.inject({ url: `/v1/jobs?${query}` });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<Problem>().errors[0]?.path).toBe(query.split('=')[0]);
  });

  it('asks no worker', async () => {
    const { app, jobs } = await harness();
    for (let index = 0; index < 40; index += 1) jobs.add(`job-${String(index)}`);
    jobs.worker = false;
    const page = (await app.inject({ url: '/v1/jobs?limit=40' })).json<{ jobs: Job[] }>();
    expect(page.jobs).toHaveLength(40);
    expect(jobs.calls).toMatchObject({ progress: 0, find: 0 });
  });
});

describe('steering', () => {
  const act = (path: string) => ({ method: 'POST' as const, url: `/v1/jobs/${path}` });

  it.each(['pause', 'resume'])('passes %s on and answers 202 with the job', async (name) => {
    const { app, jobs } = await harness();
    jobs.add('a');
    const answer = await app.inject(act(`a/${name}`));
    expect([answer.statusCode, answer.json<Job>().job_id]).toEqual([202, 'a']);
    expect(jobs.signals).toEqual([{ job_id: 'a', signal: { name } }]);
  });

  it('takes an act that says it is JSON and has no body', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    const headers = { 'content-type': 'application/json' };
    const answer = await app.inject({ ...act('a/cancel'), headers, payload: '' });
    expect(answer.statusCode).toBe(202);
  });

  it.each(['cancel', 'pause', 'resume', 'retry'])('answers %s of no job with 404', async (name) => {
    const { app } = await harness();
    expect((await app.inject(act(`none/${name}`))).statusCode).toBe(404);
  });

  it.each(['cancel', 'pause', 'resume'])('answers %s of a finished job with 409', async (name) => {
    const { app, jobs } = await harness();
    jobs.add('a');
    jobs.tell('a', { type: 'job.completed', error: null, total_cost_usd: 0 });
    jobs.closeRun('a', 'completed');
    const answer = await app.inject(act(`a/${name}`));
    expect(answer.statusCode).toBe(409);
    expect(answer.json<Problem>().detail).toContain('over (succeeded)');
  });

  it('raises the cap of a running job', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    const answer = await app.inject({ ...act('a/max-cost'), payload: { max_cost_usd: 9.5 } });
    expect(answer.statusCode).toBe(202);
    expect(jobs.signals[0]?.signal).toEqual({ name: 'setMaxCost', max_cost_usd: 9.5 });
    await app.inject({ ...act('a/max-cost'), payload: { max_cost_usd: 0.1 + 0.2 } });
    expect(jobs.signals[1]?.signal).toEqual({ name: 'setMaxCost', max_cost_usd: 0.3 });
    for (const usd of [null, 1e-7]) {
      const answer = await app.inject({ ...act('a/max-cost'), payload: { max_cost_usd: usd } });
      expect([usd, answer.statusCode]).toEqual([usd, 400]);
    }
    const bad = await app.inject({ ...act('a/max-cost'), payload: { max_cost_usd: -1 } });
    expect(bad.json<Problem>()).toMatchObject({ status: 400, errors: [{ path: 'max_cost_usd' }] });
  });

  it('cancels a clip that is not over, and retries one that failed; else 409', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    expect((await app.inject(act('a/clips/0/cancel'))).statusCode).toBe(202);
    expect((await app.inject(act('a/clips/0/retry'))).statusCode).toBe(409);
    const clip = jobs.latest('a').job.clips[0];
    if (clip === undefined) throw new Error('expected a clip');
    const failed = { ...clip, status: 'failed', completed_at: ENDED } as const;
    jobs.tell('a', { type: 'clip.failed', clip_index: 0, clip: failed });
    expect((await app.inject(act('a/clips/0/cancel'))).statusCode).toBe(409);
    expect((await app.inject(act('a/clips/0/retry'))).statusCode).toBe(202);
    expect((await app.inject(act('a/retry'))).statusCode).toBe(202);
    expect(jobs.signals.map(({ signal }) => signal)).toEqual([
      { name: 'cancelClip', clip_index: 0 },
      { name: 'retryClip', clip_index: 0, completed_at: ENDED },
      { name: 'retryClip', clip_index: 0, completed_at: ENDED },
    ]);
    expect((await app.inject(act('a/clips/7/cancel'))).statusCode).toBe(404);
    expect((await app.inject(act('a/clips/x/cancel'))).statusCode).toBe(400);
  });

  it('retries nothing in a job that is just being canceled, and says when to ask again', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    const clip = jobs.latest('a').job.clips[0];
    if (clip === undefined) throw new Error('expected a clip');
    const failed = { ...clip, status: 'failed' } as const;
    jobs.tell('a', { type: 'clip.failed', clip_index: 0, clip: failed });
    expect((await app.inject(act('a/cancel'))).statusCode).toBe(202);
    for (const what of ['a/retry', 'a/clips/0/retry']) {
      const answer = await app.inject(act(what));
      expect(answer.statusCode).toBe(409);
      expect(answer.json<Problem>().detail).toContain('retry it once it is over');
    }
    expect(jobs.signals).toEqual([]);
  });

  it('has nothing to retry where nothing failed', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    expect((await app.inject(act('a/retry'))).statusCode).toBe(409);
  });

  it('runs a terminated job again, having kept its log', async () => {
    const { app, jobs, archive } = await harness();
    jobs.add('a', 2);
    jobs.warn('a', 1);
    jobs.closeRun('a', 'terminated');
    const answer = await app.inject(act('a/retry'));
    expect(answer.statusCode).toBe(202);
    const kept = await archive.events('a');
    expect(kept.map(({ type }) => type)).toEqual([
      'job.warning',
      'clip.canceled',
      'clip.canceled',
      'job.failed',
    ]);
    const { previous } = jobs.latest('a').request;
    expect(previous).toMatchObject({ seq: 4, status: 'failed', canceled_clips: 2 });
    expect(jobs.runs.get('a')).toHaveLength(2);
  });

  it('continues from no state before the newest run, whichever request started that', async () => {
    const { app, jobs } = await harness();
    jobs.add('a', 2);
    jobs.warn('a', 1);
    jobs.closeRun('a', 'terminated');
    const find = jobs.find.bind(jobs);
    let looks = 0;
    vi.spyOn(jobs, 'find').mockImplementation(async (id) => {
      // Between the look at the job and its retry another request retries it, and that run fails at once.
      if (++looks === 2) {
        const again = jobs.latest('a').request;
        await jobs.start({ ...again, previous: jobs.latest('a').job });
        jobs.warn('a', 1);
        jobs.closeRun('a', 'terminated');
      }
      return find(id);
    });
    expect((await app.inject(act('a/retry'))).statusCode).toBe(202);
    expect(looks).toBeGreaterThan(1);
    expect(jobs.runs.get('a')).toHaveLength(2);
  });

  it('gives a long job to its next run whole', async () => {
    const { app, jobs } = await harness();
    jobs.add('a', 1000);
    jobs.warn('a');
    const latest = jobs.latest('a');
    const prompt = 'é'.repeat(900);
    latest.job = { ...latest.job, clips: latest.job.clips.map((clip) => ({ ...clip, prompt })) };
    jobs.closeRun('a', 'terminated');
    expect((await app.inject(act('a/retry'))).statusCode).toBe(202);
    const { previous } = jobs.latest('a').request;
    expect(previous?.clips.map((clip) => clip.prompt)).toEqual(Array(1000).fill(prompt));
  });

  it('starts no run on a model that was retired meanwhile, and names its successor', async () => {
    const { app, jobs } = await harness();
    jobs.add('a', 2);
    jobs.warn('a', 1);
    jobs.closeRun('a', 'terminated');
    const latest = jobs.latest('a');
    latest.request = {
      ...latest.request,
      plan: planWith(2, { model: 'bytedance/seedance-1-lite' }),
    };
    const answer = await app.inject(act('a/retry'));
    expect(answer.statusCode).toBe(400);
    expect(answer.json<Problem>().errors).toEqual([
      { path: 'model', message: expect.stringContaining('its successor is bytedance/') as string },
    ]);
    expect(jobs.runs.get('a')).toHaveLength(1);
  });

  it('says what to do instead when a ledger is longer than any run should begin with', async () => {
    const { app, jobs } = await harness();
    jobs.add('a', 2);
    jobs.warn('a');
    const latest = jobs.latest('a');
    const prompt = 'x'.repeat(25 << 20);
    latest.job = { ...latest.job, clips: latest.job.clips.map((clip) => ({ ...clip, prompt })) };
    jobs.closeRun('a', 'terminated');
    const answer = await app.inject(act('a/retry'));
    expect(answer.statusCode).toBe(409);
    expect(answer.json<Problem>().detail).toContain('as a new job');
  });
});
