/** What a worker answers to whom, and figures that must stay small and harmless. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { freePorts } from '../../src/http/ports.js';
import {
  measuredActivities,
  measuredDeps,
  measuredFetch,
  measuredPaidActivities,
} from '../../src/observability/measured-work.js';
import { SdkMetrics } from '../../src/observability/sdk-metrics.js';
import { WorkerMetrics } from '../../src/observability/worker-metrics.js';
import { observeWorker } from '../../src/observability/worker-observability.js';
import type { WorkerStatus } from '../../src/observability/worker-observability.js';
import type { Deps } from '../../src/activities/deps.js';
import type { Activities, PaidActivities } from '../../src/activities/index.js';
import { figuresIn } from '../support/figures.js';
import { rawRequest } from '../support/raw-request.js';

const KEY = 'k'.repeat(24);
const READY: WorkerStatus = { temporal: true, polling: true, stopping: false };

async function observed(env: Record<string, string>, status: WorkerStatus = READY) {
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const worker = await observeWorker(loadConfig(env), port, {
    status: () => Promise.resolve(status),
    now: () => Date.now(),
  });
  onTestFinished(() => worker.close());
  return `http://127.0.0.1:${String(port)}`;
}

describe('the HTTP server of a worker', () => {
  it.each([
    [{ temporal: false }, 503],
    [{ polling: false }, 503],
    [{ stopping: true }, 503],
    [{}, 200],
  ])('answers /readyz of %j with %i, and /healthz with 200 always', async (part, status) => {
    const url = await observed({}, { ...READY, ...part });
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ ready: status === 200, ...READY, ...part });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('asks for a key on /metrics alone, where keys are set', async () => {
    const url = await observed({ API_KEYS: KEY });
    const asked = async (route: string, authorization?: string): Promise<number> =>
      (await fetch(`${url}${route}`, { headers: authorization ? { authorization } : {} })).status;
    expect(await asked('/metrics')).toBe(401);
    expect(await asked('/metrics', `Bearer ${KEY}x`)).toBe(401);
    expect(await asked('/metrics', `Bearer ${KEY}`)).toBe(200);
    expect(await asked('/healthz')).toBe(200);
    expect(await asked('/readyz')).toBe(200);
  });

  it('answers this machine and ALLOWED_HOSTS, and says 404 and 405 to what it does not have', async () => {
    const url = await observed({ ALLOWED_HOSTS: 'worker.example' });
    const asked = (line: string, host: string) =>
      rawRequest(url, [`${line} HTTP/1.1`, `Host: ${host}`, 'Connection: close']);
    expect(await asked('GET /metrics', 'worker.example')).toMatchObject({ status: 200 });
    expect(await asked('GET /metrics', 'evil.example')).toMatchObject({
      status: 403,
      headers: { 'x-content-type-options': 'nosniff' },
    });
    expect(await asked('GET /constructor', 'localhost')).toMatchObject({ status: 404 });
    expect(await asked('POST /healthz', 'localhost')).toMatchObject({ status: 405 });
  });
});

describe('the metrics of a worker', () => {
  it('name a model of the catalogue, and any other one as other', async () => {
    const metrics = new WorkerMetrics(['known/model']);
    for (const model of ['known/model', 'foreign/one', 'foreign/two']) {
      metrics.attempt(model, 'succeeded');
    }
    const figures = figuresIn(await metrics.registry.metrics());
    const models = figures.map(({ labels, value }) => [labels['model'], value]);
    expect(models).toContainEqual(['known/model', 1]);
    expect(models).toContainEqual(['other', 2]);
    expect(JSON.stringify(models)).not.toContain('foreign');
  });

  it('count no clip of a retried job that had ended before', async () => {
    const metrics = new WorkerMetrics(['m']);
    const clip = { status: 'succeeded', error: null, predictions: [] };
    const clips = [
      { ...clip, clip_index: 0, completed_at: '2026-01-01T00:00:01.000Z' },
      { ...clip, clip_index: 1, completed_at: '2026-01-01T00:01:00.000Z' },
    ];
    const events = [
      { type: 'job.failed', at: '2026-01-01T00:00:02.000Z' },
      { type: 'job.completed', at: '2026-01-01T00:01:01.000Z' },
    ];
    metrics.job({ job_id: 'j', model: 'm', clips } as never, events as never);
    metrics.job({ job_id: 'j', model: 'm', clips } as never, events as never);
    const text = await metrics.registry.metrics();
    expect(text).toContain('clips_total{outcome="succeeded",model="m"} 1\n');
  });

  it('never fail what they measure', async () => {
    const explode = (): never => {
      throw new Error('a figure that fails');
    };
    const broken = new Proxy(new WorkerMetrics([]), { get: () => explode });
    const answer = new Response('{}');
    const base = () => Promise.resolve(answer);
    const url = 'http://127.0.0.1/v1/predictions';
    expect(await measuredFetch(base, broken)(url, { method: 'POST' })).toBe(answer);
    const outcome = { type: 'throttled', seconds: 1, message: '' } as const;
    const found = { type: 'found', prediction: { id: 'p', model: 'm' } };
    const done: string[] = [];
    const does = (what: string) => () => Promise.resolve(void done.push(what));
    const stream = new PassThrough();
    const file = { stream: () => stream, keep: does('keep') };
    const deps = measuredDeps(
      {
        replicate: { create: () => Promise.resolve(outcome), get: () => Promise.resolve(found) },
        store: { open: () => Promise.resolve(file), saveJob: does('save') },
        workflow: () => ({ signal: does('signal') }),
      } as unknown as Deps,
      broken,
    );
    expect(await deps.replicate.create({ model: 'm' } as never)).toBe(outcome);
    expect(await deps.replicate.get('p')).toBe(found);
    const opened = await deps.store.open('j', 0);
    opened.stream().end();
    await once(stream, 'finish');
    await opened.keep({} as never);
    await deps.store.saveJob({} as never, []);
    await deps.workflow('j', 'r').signal('predictionCreated' as never, { prediction: {} } as never);
    expect(done).toEqual(['keep', 'save', 'signal']);

    const result = { outcome: 'succeeded', attempt: 1, prediction: {}, output_url: 'u' };
    const refused = ApplicationFailure.create({ details: [{ error: { kind: 'flagged' } }] });
    const paid = (generateClip: () => Promise<unknown>) =>
      measuredPaidActivities({ generateClip } as PaidActivities, broken, explode);
    const input = { model: 'm' } as never;
    expect(await paid(() => Promise.resolve(result)).generateClip(input)).toBe(result);
    await expect(paid(() => Promise.reject(refused)).generateClip(input)).rejects.toBe(refused);
    const settle = () => Promise.resolve(result);
    const settling = measuredActivities(
      { settlePrediction: settle, endLost: settle } as unknown as Activities,
      broken,
    );
    expect(await settling.settlePrediction(input)).toBe(result);
    expect(await settling.endLost(input)).toBe(result);
  });
});

describe("the SDK's metrics", () => {
  it('keep labels of few values alone', async () => {
    const sdk = new SdkMetrics();
    const metric = { name: 'temporal_request', kind: 'counter', valueType: 'int' } as const;
    for (const id of ['a', 'b']) {
      const attributes = { operation: 'Poll', workflow_id: id };
      sdk.apply({ metric, value: 2, attributes });
    }
    expect(await sdk.registry.metrics()).toContain('temporal_request{operation="Poll"} 4\n');
  });
});
