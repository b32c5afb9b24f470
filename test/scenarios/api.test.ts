import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { jobPath } from '../support/stored-files.js';
import { startApi } from '../../src/api/server.js';
import type { RunningApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import { eventSchema, snapshotSchema } from '../../src/domain/job/job.schema.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';
import { ids, read } from '../api/harness.js';

/** A world with an API that can be closed and started again. */
async function withApi(world: World): Promise<{ api: RunningApi } & AsyncDisposable> {
  const api = await openApi(world);
  return { api, [Symbol.asyncDispose]: () => api.close() };
}

const openApi = (world: World): Promise<RunningApi> =>
  startApi(loadConfig(world.env), { port: 0, settings: { log_level: 'error' } });

async function send(api: RunningApi, path: string, body?: unknown) {
  const response = await fetch(`${api.url}${path}`, {
    method: 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, job: (await response.json()) as Job };
}

const get = async <T>(api: RunningApi, path: string): Promise<T> =>
  (await (await fetch(`${api.url}${path}`)).json()) as T;

const jobOf = (api: RunningApi, id: string): Promise<Job & { stale?: boolean }> =>
  get(api, `/v1/jobs/${id}`);

async function start(api: RunningApi, plan: Plan): Promise<string> {
  const { status, job } = await send(api, '/v1/jobs', plan);
  expect(status).toBe(202);
  return job.job_id;
}

const over = (api: RunningApi, id: string): Promise<Job> =>
  eventually('the job to be over', async () => {
    const value = await jobOf(api, id);
    return { done: ['succeeded', 'failed', 'canceled'].includes(value.status), value };
  });

/** The whole log, read by a reader that follows the job to its end. */
async function logOf(api: RunningApi, id: string): Promise<JobEvent[]> {
  const reader = await read(`${api.url}/v1/jobs/${id}/events?after=0`);
  expect(await reader.ended).toBe(true);
  return reader.frames
    .filter((frame) => frame.id !== null)
    .map(({ data }) => eventSchema.parse(JSON.parse(data)));
}

/** How often it stands in the list, all pages of it. */
async function listed(api: RunningApi, id: string): Promise<Job[]> {
  const found: Job[] = [];
  for (let cursor = ''; ;) {
    const page = await get<{ jobs: Job[]; next_cursor: string | null }>(
      api,
      `/v1/jobs?limit=100${cursor}`,
    );
    found.push(...page.jobs.filter(({ job_id }) => job_id === id));
    if (page.next_cursor === null) return found;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

const prompts = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `view ${String(index)} of a quiet bay`);

describe('the API on a real Temporal server', () => {
  it('starts a job, tells every event of it, and hands out its files', async () => {
    await using world = await World.create();
    await using opened = await withApi(world);
    const { api } = opened;
    await world.startWorker();
    const id = await start(api, planOf([...prompts(3), '[[fail-once]] again']));
    const log = await logOf(api, id);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(log.at(-1)?.type).toBe('job.completed');
    const job = snapshotSchema.parse(await jobOf(api, id));
    expect(job).toMatchObject({ status: 'succeeded', seq: log.length, successful_clips: 4 });
    for (const clip of job.clips) {
      const video = await fetch(`${api.url}${clip.video_url ?? ''}`, { method: 'HEAD' });
      expect([video.status, video.headers.get('content-type')]).toEqual([200, 'video/mp4']);
      expect(video.headers.get('content-length')).toBe(String(clip.video_bytes));
      const bytes = await (await fetch(`${api.url}${clip.video_url ?? ''}`)).arrayBuffer();
      const hash = createHash('sha256').update(new Uint8Array(bytes)).digest('hex');
      expect(clip.video_sha256).toBe(hash);
      const picture = await fetch(`${api.url}${clip.thumbnail_url ?? ''}`);
      expect(picture.headers.get('content-type')).toBe('image/jpeg');
    }
    const late = await fetch(`${api.url}/v1/jobs/${id}/events?after=${String(log.length)}`);
    expect(late.status).toBe(204);
  });

  it('loses and doubles no event for a reader that hangs up while worker and API are killed', async () => {
    await using world = await World.create({ speed: 10 });
    let api = await openApi(world);
    const worker = await world.startWorker();
    const id = await start(api, planOf(prompts(8)));
    const collected: JobEvent[] = [];
    let visits = 0;
    const reading = (async () => {
      for (;;) {
        const url = `${api.url}/v1/jobs/${id}/events?after=${String(collected.length)}`;
        const reader = await read(url).catch(() => null);
        if (reader === null) continue; // the API is being restarted
        if (reader.status === 204) return;
        visits += 1;
        const most = 1 + (visits % 6);
        const enough = reader.until((frames) => ids(frames).length >= most).catch(() => null);
        await Promise.race([enough, reader.ended]);
        const frames = reader.frames.filter((frame) => frame.id !== null);
        collected.push(...frames.map(({ data }) => JSON.parse(data) as JobEvent));
        reader.close();
      }
    })();
    await eventually('some events', async () => ({
      done: collected.length > 8,
      value: collected.length,
    }));
    await worker.kill();
    const before = api;
    api = await openApi(world);
    await before.close();
    await world.startWorker();
    await reading;
    const truth = await logOf(api, id);
    expect(truth.at(-1)?.type).toBe('job.completed');
    expect(collected).toEqual(truth);
    await api.close();
  });

  it('runs a failed job again under its id, keeps the good clips, and numbers on', async () => {
    await using world = await World.create();
    await using opened = await withApi(world);
    const { api } = opened;
    await world.startWorker();
    const plan = planOf([...prompts(2), '[[flagged]] no'], { min_successful_clips: 3 });
    const id = await start(api, plan);
    expect(await over(api, id)).toMatchObject({ status: 'failed', successful_clips: 2 });
    const first = await logOf(api, id);
    const again = await send(api, `/v1/jobs/${id}/retry`);
    expect(again).toMatchObject({ status: 202, job: { status: 'running', seq: first.length } });
    const second = await logOf(api, id);
    expect(second.slice(0, first.length)).toEqual(first);
    expect(second.map(({ seq }) => seq)).toEqual(second.map((_, index) => index + 1));
    expect(second.length).toBeGreaterThan(first.length);
    expect((await over(api, id)).run_id).toBe(again.job.run_id);
    expect((await world.stats()).creates).toBe(4);
    const repeated = await send(api, '/v1/jobs', { ...plan, job_id: id });
    expect([repeated.status, repeated.job.run_id]).toEqual([200, again.job.run_id]);
    const list = await eventually('one run in the list', async () => {
      const { jobs } = await get<{ jobs: Job[] }>(api, '/v1/jobs?limit=100');
      const value = jobs.filter(({ job_id }) => job_id === id);
      return { done: value.length > 0, value };
    });
    expect(list).toHaveLength(1);
  });

  it('runs a job again that was started elsewhere and that Temporal has forgotten', async () => {
    await using world = await World.create();
    await using opened = await withApi(world);
    const { api } = opened;
    await world.startWorker();
    const plan = planOf([...prompts(2), '[[flagged:1]] no'], { min_successful_clips: 3 });
    const run = await world.start(plan);
    await run.end();
    const id = run.handle.workflowId;
    const first = await logOf(api, id);
    const stored = await readFile(jobPath(world.data_dir, id, 'plan.json'), 'utf8');
    expect(JSON.parse(stored)).toEqual(plan);
    const namespace = 'default';
    const workflowExecution = { workflowId: id };
    await world.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    await eventually('Temporal to forget the job', async () => {
      const value = await world.client.workflow.getHandle(id).describe().catch(String);
      return { done: typeof value === 'string' && value.includes('not found'), value };
    });
    expect(await listed(api, id)).toHaveLength(1);
    const again = await send(api, `/v1/jobs/${id}/retry`);
    expect(again).toMatchObject({ status: 202, job: { status: 'running', seq: first.length } });
    const second = await logOf(api, id);
    expect(second.slice(0, first.length)).toEqual(first);
    expect(second.map(({ seq }) => seq)).toEqual(second.map((_, index) => index + 1));
    expect(await over(api, id)).toMatchObject({ status: 'succeeded', successful_clips: 3 });
    expect((await world.stats()).creates).toBe(4);
    expect(await listed(api, id)).toHaveLength(1);
  });

  it('tells of a terminated job that it failed, and ends its stream', async () => {
    await using world = await World.create({ speed: 1 });
    await using opened = await withApi(world);
    const { api } = opened;
    await world.startWorker();
    const id = await start(api, planOf(prompts(2)));
    const reader = await read(`${api.url}/v1/jobs/${id}/events?after=0`);
    await reader.until((frames) => frames.some(({ event }) => event === 'clip.submitted'));
    await world.client.workflow.getHandle(id).terminate('by hand');
    expect(await reader.ended).toBe(true);
    expect(reader.frames.findLast((frame) => frame.id !== null)?.event).toBe('job.failed');
    expect(await jobOf(api, id)).toMatchObject({
      status: 'failed',
      error: { kind: 'internal', message: 'the workflow was terminated: by hand' },
    });
  });

  it('answers without any worker from what Temporal knows, and resumes when one comes', async () => {
    await using world = await World.create();
    await using opened = await withApi(world);
    const { api } = opened;
    const id = await start(api, planOf(prompts(2)));
    expect((await fetch(`${api.url}/readyz`)).status).toBe(503);
    expect(await jobOf(api, id)).toMatchObject({
      status: 'queued',
      stale: true,
      source: 'history',
      total_clips: 2,
    });
    const reader = await read(`${api.url}/v1/jobs/${id}/events`);
    await reader.until((frames) => frames[0]?.event === 'snapshot');
    await world.startWorker();
    expect(await reader.ended).toBe(true);
    const seqs = ids(reader.frames);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    expect(await jobOf(api, id)).not.toHaveProperty('stale');
  });

  it('pauses, resumes, cancels a clip and the job, and answers with what came of it', async () => {
    await using world = await World.create({ speed: 1 });
    await using opened = await withApi(world);
    const { api } = opened;
    await world.startWorker();
    const id = await start(api, planOf(prompts(6), { batch_size: 2 }));
    await eventually('a clip to run', async () => {
      const value = await jobOf(api, id);
      return { done: value.clips.some(({ status }) => status === 'running'), value };
    });
    expect(await send(api, `/v1/jobs/${id}/pause`)).toMatchObject({
      status: 202,
      job: { status: 'paused' },
    });
    expect((await send(api, `/v1/jobs/${id}/resume`)).job.status).toBe('running');
    expect((await send(api, `/v1/jobs/${id}/clips/5/cancel`)).status).toBe(202);
    const job = await jobOf(api, id);
    expect(job.clips.find(({ clip_index }) => clip_index === 5)?.status).toBe('canceled');
    expect((await send(api, `/v1/jobs/${id}/clips/5/cancel`)).status).toBe(409);
    expect((await send(api, `/v1/jobs/${id}/cancel`)).status).toBe(202);
    expect((await over(api, id)).status).toBe('canceled');
    expect((await send(api, `/v1/jobs/${id}/cancel`)).status).toBe(409);
  });

  it('refuses a cursor that no list answered with', async () => {
    await using world = await World.create();
    await using opened = await withApi(world);
    for (const cursor of ['x', 'bm9uc2Vuc2U', '%00', 'a b']) {
      const answer = await fetch(`${opened.api.url}/v1/jobs?cursor=${encodeURIComponent(cursor)}`);
      expect([cursor, answer.status]).toEqual([cursor, 400]);
    }
  });

  it('names the variable when its port is in use', async () => {
    await using world = await World.create();
    await using opened = await withApi(world);
    const port = Number(new URL(opened.api.url).port);
    await expect(startApi(loadConfig(world.env), { port })).rejects.toThrow(
      `PORT: expected a free port, got ${String(port)}`,
    );
  });
});
