/** What operators see of one job over all processes: its trace, from the request to the stored file, and its lines of the logs. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startApi } from '../../src/api/server.js';
import type { RunningApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { freePorts } from '../../src/http/ports.js';
import { eventually } from '../support/eventually.js';
import { startCollector } from '../support/otlp-collector.js';
import type { CollectedSpan } from '../support/otlp-collector.js';
import { planOf, planWith } from '../support/plans.js';
import { runsOf } from '../support/runs.js';
import { World } from '../support/world.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
/** The caller's own trace: what a program that starts jobs sends with its requests. */
const TRACEPARENT = `00-${TRACE_ID}-${CALLER}-01`;

const traced = (endpoint: string): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=opens-the-collector',
});

async function openApi(world: World, log_level = 'error') {
  const api = await startApi(loadConfig(world.env), { port: 0, settings: { log_level } });
  return { api, [Symbol.asyncDispose]: () => api.close() };
}

async function post(api: RunningApi, plan: Plan, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}/v1/jobs?secret=of-the-query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(plan),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as Job).job_id;
}

const jobOf = async (api: RunningApi, id: string): Promise<Job> =>
  (await (await fetch(`${api.url}/v1/jobs/${id}`)).json()) as Job;

const over = (api: RunningApi, id: string): Promise<Job> =>
  eventually('the job to be over', async () => {
    const value = await jobOf(api, id);
    return { done: ['succeeded', 'failed', 'canceled'].includes(value.status), value };
  });

/** From the span up to its root: the names. */
function pathOf(span: CollectedSpan | undefined, spans: readonly CollectedSpan[]): string[] {
  if (span === undefined) return [];
  const parent = spans.find(({ span_id }) => span_id === span.parent);
  return [span.name, ...(parent === undefined ? [String(span.parent)] : pathOf(parent, spans))];
}

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('has one trace of a job, from the request through two workers to the stored file, without a secret', async () => {
    await using collector = await startCollector();
    await using world = await World.create({ env: traced(collector.url) });
    const { api } = await openApi(world);
    const first = await world.startWorker();
    const plan = planOf(['a secret prompt [[hold:while-processing]]', 'other secret words']);
    const id = await post(api, plan, { traceparent: TRACEPARENT });
    await eventually('a stored clip, and one that renders', async () => {
      const job = await jobOf(api, id);
      const states = job.clips.map(({ status }) => status);
      return { done: states.join() === 'running,succeeded', value: states };
    });
    await first.terminate();
    const second = await world.startWorker();
    await world.control('POST', '/release', { all: true });
    const job = await over(api, id);
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    await second.terminate();
    await api.close();

    const spans = collector.spans.filter(({ trace_id }) => trace_id === TRACE_ID);
    const request = ['POST /v1/jobs', CALLER];
    const workflow = ['StartWorkflow:generateClipsWorkflow', ...request];
    const paths = (name: string): string[][] =>
      spans.filter((span) => span.name === name).map((span) => pathOf(span, spans));
    expect(paths('POST /v1/jobs')).toEqual([request]);
    expect(paths('StartWorkflow:generateClipsWorkflow')).toEqual([workflow]);
    const render = ['RunActivity:generateClip', ...workflow];
    const create = 'POST /v1/models/:id/:id/predictions';
    expect(paths(create)).toEqual([
      [create, ...render],
      [create, ...render],
    ]);
    // The clip that rendered was handed over by one worker and ended by the next.
    const renders = spans.filter(({ name }) => name === 'RunActivity:generateClip');
    expect(renders.map((span) => pathOf(span, spans))).toEqual([render, render, render]);
    const [prediction] = job.clips[0]?.predictions ?? [];
    expect(renders.filter(({ attributes }) => attributes['clip_index'] === 0)).toMatchObject([
      { attributes: { job_id: id, attempt: 1, prediction_id: prediction?.id } },
      { attributes: { job_id: id, attempt: 1, prediction_id: prediction?.id } },
    ]);
    const store = ['RunActivity:storeClip', ...workflow];
    expect(paths('RunActivity:storeClip')).toEqual([store, store]);
    const downloads = spans.filter(
      (span) => pathOf(span, spans)[1] === 'RunActivity:storeClip' && span.name.startsWith('GET '),
    );
    expect(downloads).toHaveLength(2);
    expect(downloads[0]?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
    });
    const bytes = job.clips.map(({ video_bytes }) => video_bytes);
    const videos = spans.filter(
      ({ name, attributes }) =>
        name === 'store put' && bytes.includes(Number(attributes['store.bytes'])),
    );
    expect(videos.map((span) => pathOf(span, spans))).toEqual([
      ['store put', ...store],
      ['store put', ...store],
    ]);
    expect(new Set(collector.spans.map(({ service }) => service))).toEqual(
      new Set(['clip-generator-api', 'clip-generator-worker']),
    );
    // Every activity of the job is in the trace.
    const others = collector.spans.filter(({ trace_id }) => trace_id !== TRACE_ID);
    expect(others.map(({ name }) => name).filter((name) => name.startsWith('Run'))).toEqual([]);
    for (const secret of ['r8_scenario', 'secret prompt', 'secret words', 'of-the-query']) {
      expect(collector.received).not.toContain(secret);
    }
  });

  it('has all runs of a long job in one trace', async () => {
    await using collector = await startCollector();
    await using world = await World.create({ speed: 60, env: traced(collector.url) });
    const { api } = await openApi(world);
    const worker = await world.startWorker({ history_limits: { events: 60, bytes: 10 * 2 ** 20 } });
    const id = await post(api, planWith(12), { traceparent: TRACEPARENT });
    await over(api, id);
    await eventually('more than one run in the list', async () => {
      const runs = await runsOf(world, id);
      return { done: runs.length > 1, value: runs };
    });
    await worker.terminate();
    await api.close();
    const executions = collector.spans.filter(({ name }) => name.startsWith('RunActivity:'));
    expect(executions.filter(({ name }) => name.endsWith(':storeClip'))).toHaveLength(12);
    expect(executions.filter(({ trace_id }) => trace_id !== TRACE_ID)).toEqual([]);
  });

  it('makes no difference to a job when no collector answers, and says so once', async () => {
    const [nowhere = 0] = await freePorts('127.0.0.1', 1);
    const away = `http://127.0.0.1:${String(nowhere)}`;
    await using world = await World.create({
      env: { ...traced(away), OTEL_BSP_SCHEDULE_DELAY: '50' },
    });
    await using opened = await openApi(world);
    const worker = await world.startWorker();
    const id = await post(opened.api, planOf(['a', 'b']));
    expect(await over(opened.api, id)).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    await worker.terminate();
    expect(worker.output.match(/traces cannot be sent to \S+/g)).toEqual([
      `traces cannot be sent to 127.0.0.1:${String(nowhere)}`,
    ]);
    expect(worker.output).not.toContain('opens-the-collector');
  });

  it('traces nothing of a job whose caller does not sample it', async () => {
    await using collector = await startCollector();
    await using world = await World.create({ env: traced(collector.url) });
    const { api } = await openApi(world);
    const worker = await world.startWorker();
    const id = await post(api, planOf(['a']), { traceparent: TRACEPARENT.replace(/01$/, '00') });
    await over(api, id);
    await worker.terminate();
    await api.close();
    const isOfJob = ({ name, service }: { name: string; service: string }): boolean =>
      service === 'clip-generator-worker' || /^(?:POST|Start)/.test(name);
    expect(collector.spans.filter(isOfJob)).toEqual([]);
    expect(collector.spans.map(({ name }) => name)).toContain('GET /v1/jobs/:job_id');
  });
});

describe('the lines of a job', () => {
  it('are found by its job_id over API and worker, with clip, attempt, prediction and trace, and hold no secret', async () => {
    await using collector = await startCollector();
    await using world = await World.create({
      env: { ...traced(collector.url), LOG_LEVEL: 'debug' },
    });
    const said: string[] = [];
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said.push(String(text));
      return true;
    });
    onTestFinished(() => {
      spy.mockRestore();
    });
    await using opened = await openApi(world, 'debug');
    const worker = await world.startWorker();
    const plan = planOf(['a secret prompt [[fail-once]]'], { min_successful_clips: 1 });
    const other = await post(opened.api, planOf(['other words']));
    const id = await post(opened.api, plan, { traceparent: TRACEPARENT });
    const job = await over(opened.api, id);
    await over(opened.api, other);
    await worker.terminate();
    spy.mockRestore();

    const entries = [...said.join('').split('\n'), ...worker.output.split('\n')]
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const lines = entries.filter(({ job_id }) => job_id === id);
    expect(new Set(lines.map(({ name }) => name))).toEqual(new Set(['api', 'worker']));
    expect(lines).toContainEqual(
      expect.objectContaining({ name: 'api', route: '/v1/jobs', trace_id: TRACE_ID }),
    );
    for (const { id: prediction_id, attempt } of job.clips[0]?.predictions ?? []) {
      expect(lines).toContainEqual(
        expect.objectContaining({
          ...{ name: 'worker', trace_id: TRACE_ID, job_id: id },
          ...{ clip_index: 0, attempt, prediction_id },
        }),
      );
    }
    expect(job.clips[0]?.predictions).toHaveLength(2);
    // The SDK tells of a start before anything has read the input.
    const isStart = /^(?:Activity|Workflow) started$/;
    const ofWorker = lines.filter(
      ({ name, msg }) => name === 'worker' && !isStart.test(String(msg)),
    );
    expect(ofWorker.length).toBeGreaterThan(5);
    expect(ofWorker.filter(({ trace_id }) => trace_id !== TRACE_ID)).toEqual([]);
    const text = entries.map((entry) => JSON.stringify(entry)).join('\n');
    for (const secret of ['r8_scenario', 'secret prompt', 'of-the-query', 'opens-the-collector']) {
      expect(text).not.toContain(secret);
    }
  });
});
