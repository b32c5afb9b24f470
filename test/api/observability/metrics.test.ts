import { describe, expect, it } from 'vitest';
import type { Clip, Job, Prediction } from '../../../src/domain/job/job.schema.js';
import { record } from '../../../src/domain/job/progress.js';
import { harness, read } from '../harness.js';
import type { Harness } from '../harness.js';

const MODEL = 'kwaivgi/kling-v2.5-turbo-pro';

const prediction = (change: Partial<Prediction> = {}): Prediction => ({
  id: 'p',
  attempt: 1,
  status: 'succeeded',
  url: 'https://replicate.com/p/p',
  created_at: '2026-01-01T00:00:00.000Z',
  completed_at: '2026-01-01T00:01:00.000Z',
  predict_time: 60,
  requested_duration: 5,
  unit_price: null,
  cost_usd: 0.35,
  billed: true,
  adopted: false,
  ...change,
});

/** A clip of the job, as it ended. */
const clipOf = (all: Harness, jobId: string, index: number, change: Partial<Clip>): Clip => {
  const clip = all.jobs.latest(jobId).job.clips[index];
  if (clip === undefined) throw new Error('expected a clip');
  return { ...clip, ...change };
};

/** Two clips: one is good at the second try, one is refused. Stored, and forgotten by Temporal. */
async function finish(all: Harness, jobId: string): Promise<void> {
  all.jobs.add(jobId, 2);
  const failed = prediction({ id: 'f', status: 'failed', cost_usd: 0.35 });
  const good = clipOf(all, jobId, 0, {
    status: 'succeeded',
    actual_duration: 5.04,
    cost_usd: 0.7,
    estimated_cost_usd: 0.7,
    cost_increase_percent: 100,
    predictions: [failed, prediction()],
  });
  all.jobs.tell(jobId, { type: 'clip.completed', clip_index: 0, clip: good });
  const bad = clipOf(all, jobId, 1, {
    status: 'failed',
    error: { kind: 'flagged', message: 'no', retryable: false },
    cost_usd: 0,
    predictions: [prediction({ id: 'a', status: 'aborted', cost_usd: 0, billed: false })],
  });
  all.jobs.tell(jobId, { type: 'clip.failed', clip_index: 1, clip: bad });
  const { job, event } = record(
    all.jobs.latest(jobId).job,
    { type: 'job.completed', error: null, total_cost_usd: 0.7 },
    new Date().toISOString(),
  );
  await all.archive.save(job, [...all.jobs.log(jobId), event]);
  all.jobs.runs.delete(jobId);
}

async function scrape({ app }: Harness): Promise<Map<string, number>> {
  const { body } = await app.inject({ url: '/metrics' });
  const lines = body.split('\n').filter((line) => line !== '');
  for (const line of lines) {
    expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-z_0-9]+(\{[^}]*\})? ([0-9.e+-]+|Nan))$/);
  }
  const samples = lines.filter((line) => !line.startsWith('#'));
  const names = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(names).size).toBe(names.length);
  return new Map(
    samples.map((line, index) => [names[index] ?? '', Number(line.split(' ').at(-1))]),
  );
}

describe('the figures of jobs', () => {
  it('add up what stored jobs asked for, got and cost', async () => {
    const all = await harness();
    await finish(all, 'a');
    await finish(all, 'b');
    const found = await scrape(all);
    const money = `model="${MODEL}",simulated="true"`;
    const expected = {
      [`jobs{model="${MODEL}",status="succeeded"}`]: 2,
      [`clips{model="${MODEL}",status="succeeded"}`]: 2,
      [`clips{model="${MODEL}",status="failed",kind="flagged"}`]: 2,
      [`predictions_total{${money},status="succeeded",billed="true",adopted="false"}`]: 2,
      [`predictions_total{${money},status="failed",billed="true",adopted="false"}`]: 2,
      [`predictions_total{${money},status="aborted",billed="false",adopted="false"}`]: 2,
      [`cost_usd_total{${money}}`]: 1.4,
      [`estimated_cost_usd_total{${money}}`]: 2.1,
      [`buffer_cost_usd_total{${money}}`]: 0.7,
      [`requested_duration_seconds_sum{model="${MODEL}"}`]: 10,
      [`requested_duration_seconds_count{model="${MODEL}"}`]: 2,
      [`actual_duration_seconds_sum{model="${MODEL}"}`]: 10.08,
      [`actual_duration_seconds_count{model="${MODEL}"}`]: 2,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect([name, found.get(`clip_generator_${name}`)]).toEqual([name, value]);
    }
  });

  it('count costs that are not known, of stored jobs that an older release wrote too', async () => {
    const all = await harness();
    await finish(all, 'a');
    const stored = await all.archive.job('a');
    if (stored === null) throw new Error('expected a stored job');
    const { unknown_costs: counted, ...old } = stored;
    expect(counted).toBe(0);
    const clips = stored.clips.map((clip) => ({
      ...clip,
      predictions: clip.predictions.map((line) => ({ ...line, billed: true, cost_usd: null })),
    }));
    await all.archive.save({ ...old, clips } as unknown as Job, []);
    expect((await all.archive.job('a'))?.unknown_costs).toBe(3);
    const found = await scrape(all);
    const money = `model="${MODEL}",simulated="true"`;
    expect(found.get(`clip_generator_unknown_costs_total{${money}}`)).toBe(3);
  });

  it('count a running job while a reader follows it, and its streams and watchers', async () => {
    const all = await harness();
    all.jobs.add('a', 3);
    const clip = clipOf(all, 'a', 0, {
      status: 'running',
      attempt: 1,
      cost_usd: 0.35,
      predictions: [prediction(), prediction({ id: 'q', completed_at: null, billed: null })],
    });
    all.jobs.tell('a', { type: 'clip.submitted', clip_index: 0, clip });
    const stream = await read(`${all.url}/v1/jobs/a/events`);
    await stream.until((frames) => frames.length > 0);
    const found = await scrape(all);
    const money = `model="${MODEL}",simulated="true"`;
    const expected = {
      [`jobs{model="${MODEL}",status="queued"}`]: 1,
      [`clips{model="${MODEL}",status="running"}`]: 1,
      [`clips{model="${MODEL}",status="queued"}`]: 2,
      [`running_predictions{${money}}`]: 1,
      [`running_cost_usd{${money}}`]: 0.35,
      api_open_event_streams: 1,
      api_watched_jobs: 1,
      api_running_jobs: 1,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect([name, found.get(`clip_generator_${name}`)]).toEqual([name, value]);
    }
    stream.close();
  });

  it('count a job that runs again once, and keep what it has cost before', async () => {
    const all = await harness();
    await finish(all, 'a');
    all.jobs.add('a', 2);
    const stream = await read(`${all.url}/v1/jobs/a/events`);
    await stream.until((frames) => frames.length > 0);
    const found = await scrape(all);
    const jobs = [...found].filter(([name]) => name.startsWith('clip_generator_jobs{'));
    expect(jobs).toEqual([[`clip_generator_jobs{model="${MODEL}",status="queued"}`, 1]]);
    const cost = `clip_generator_cost_usd_total{model="${MODEL}",simulated="true"}`;
    expect(found.get(cost)).toBe(0.7);
    stream.close();
  });

  it('are told while Temporal is away', async () => {
    const all = await harness();
    await finish(all, 'a');
    all.jobs.temporal = false;
    const found = await scrape(all);
    expect(found.get('clip_generator_api_temporal_up')).toBe(0);
    expect(found.has('clip_generator_api_running_jobs')).toBe(false);
    expect(found.get(`clip_generator_jobs{model="${MODEL}",status="succeeded"}`)).toBe(1);
  });
});

describe('the figures of the process', () => {
  it('are in the answer of every app of the process, each once', async () => {
    const apps = [await harness(), await harness()];
    for (const app of apps) {
      const found = await scrape(app); // which refuses a sample that is there twice
      expect(found.get('process_cpu_seconds_total')).toBeGreaterThan(0);
      expect(found.get('nodejs_heap_size_used_bytes')).toBeGreaterThan(0);
      expect(found.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    }
  });

  it('are apart from those of each app, which counts its own requests only', async () => {
    const [first, second] = [await harness(), await harness()];
    await first.app.inject({ url: '/healthz' });
    const name = 'clip_generator_api_requests_total{method="GET",route="/healthz",status="200"}';
    expect((await scrape(first)).get(name)).toBe(1);
    expect((await scrape(second)).has(name)).toBe(false);
  });
});
