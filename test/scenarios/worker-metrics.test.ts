/** What a worker tells of itself where WORKER_HTTP_PORT is set: its figures are the provider's, and probes hear the truth. */
import { createServer } from 'node:net';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { freePorts } from '../../src/http/ports.js';
import { startApi } from '../../src/api/server.js';
import { startWorker } from '../../src/worker.js';
import { eventually } from '../support/eventually.js';
import { figuresIn, sumOf } from '../support/figures.js';
import type { Figure } from '../support/figures.js';
import { listenersOf } from '../support/listeners.js';
import { planOf } from '../support/plans.js';
import { ROOT, startProcess } from '../support/processes.js';
import { missingFrom } from '../support/promql.js';
import { testFolder } from '../support/test-folder.js';
import { World } from '../support/world.js';
import { artifactsIn } from '../support/stores.js';

const OWN = 'clip_generator_worker_';

const freePort = async (): Promise<string> => String((await freePorts('127.0.0.1', 1))[0]);
const ask = (port: string, route: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${route}`);
/** 0: nothing answers. */
const statusOf = (port: string, route: string): Promise<number> =>
  ask(port, route).then(
    ({ status }) => status,
    () => 0,
  );
const figuresOf = async (port: string): Promise<Figure[]> =>
  figuresIn(await (await ask(port, '/metrics')).text());

describe('a worker with WORKER_HTTP_PORT', () => {
  it("has the figures of the provider's ledger: creates, reads, clips, attempts and dollars", async () => {
    const port = await freePort();
    await using world = await World.create({ env: { WORKER_HTTP_PORT: port } });
    await world.startWorker();
    expect(await statusOf(port, '/readyz')).toBe(200);
    const run = await world.start(
      planOf(['a', 'b [[E004]]', 'c [[flagged]]', 'd [[http-429:1:1]]'], {
        dispatch: 'window',
      }),
    );
    const job = await run.end();
    expect(job).toMatchObject({ successful_clips: 3, failed_clips: 1 });
    const { model } = job;

    const { figures, stats } = await eventually('a count without requests in between', async () => {
      const before = await world.stats();
      const figures = await figuresOf(port);
      const stats = await world.stats();
      const done = JSON.stringify(before.reads) === JSON.stringify(stats.reads);
      return { done, value: { figures, stats } };
    });
    const own = (name: string, labels = {}): number => sumOf(figures, OWN + name, labels);

    expect(own('creates_total', { outcome: 'created', model })).toBe(stats.creates);
    expect(own('creates_total', { outcome: 'throttled' })).toBe(1);
    expect(own('rate_waits_total')).toBe(1);
    expect(own('rate_wait_seconds_total')).toBeGreaterThan(0);
    const requests = 'provider_requests_total';
    expect(own(requests, { operation: 'create' })).toBe(stats.create_requests);
    expect(own(requests, { operation: 'create', status: '201' })).toBe(stats.creates);
    expect(own(requests, { operation: 'create', status: '429' })).toBe(stats.rejected['429']);
    const reads = ['read', 'list'].map((operation) => own(requests, { operation, status: '200' }));
    expect(reads).toEqual([
      stats.reads['/v1/predictions/:id'] ?? 0,
      stats.reads['/v1/predictions'] ?? 0,
    ]);

    const clips = 'clips_total';
    expect(own(clips, { model, outcome: 'succeeded' })).toBe(3);
    expect(own(clips, { model, outcome: 'flagged' })).toBe(1);
    expect(own(clips)).toBe(4);
    expect(own('attempts_total', { outcome: 'succeeded' })).toBe(3);
    expect(own('attempts_total')).toBe(stats.predictions.length);
    expect(own('paid_usd_total', { model })).toBeCloseTo(stats.bills.usd, 6);
    const wasted = stats.predictions.filter(({ status }) => status !== 'succeeded');
    expect(wasted).toHaveLength(2);
    expect(own('wasted_usd_total', { model })).toBeCloseTo(
      wasted.reduce((sum, { usd }) => sum + usd, 0),
      6,
    );
    expect(own('unknown_costs_total')).toBe(0);
    for (const name of ['render', 'download', 'store']) {
      expect(own(`${name}_seconds_count`), name).toBe(3);
    }
    expect(own('queue_wait_seconds_count')).toBeGreaterThanOrEqual(stats.predictions.length);
    const sdk = figures.filter(({ name }) => name.startsWith('temporal_'));
    expect(sumOf(sdk, 'temporal_workflow_completed')).toBe(1);

    // Dashboard and alerts, by the figures of this worker and of an API.
    const api = await startApi(loadConfig(world.env), { port: 0 });
    try {
      await eventually('the job and a request among the figures of the API', async () => {
        const texts = [
          await (await ask(port, '/metrics')).text(),
          await (await fetch(`${api.url}/metrics`)).text(),
        ];
        const text = texts.join('\n');
        const all = figuresIn(text);
        const names = ['clip_generator_jobs', 'clip_generator_api_requests_total'];
        const done = names.every((name) => sumOf(all, name) > 0);
        if (done) expect(missingFrom(text, all)).toEqual([]);
        return { done, value: undefined };
      });
    } finally {
      await api.close();
    }
  });

  it('counts a canceled clip, and what its prediction cost', async () => {
    const port = await freePort();
    await using world = await World.create({ env: { WORKER_HTTP_PORT: port } });
    await world.startWorker();
    const run = await world.start(planOf(['a [[hold:while-processing]]', 'b']));
    await run.until('a clip that succeeded', ({ clips }) => clips[1]?.status === 'succeeded');
    await run.handle.signal('cancelClip', { clip_index: 0 });
    await run.end();
    const figures = await figuresOf(port);
    expect(sumOf(figures, `${OWN}clips_total`, { outcome: 'succeeded' })).toBe(1);
    expect(sumOf(figures, `${OWN}clips_total`, { outcome: 'canceled' })).toBe(1);
    expect(sumOf(figures, `${OWN}attempts_total`, { outcome: 'canceled' })).toBe(1);
    expect(sumOf(figures, `${OWN}paid_usd_total`)).toBeCloseTo((await world.stats()).bills.usd, 6);
  });

  it('answers while Temporal does not, and is not ready', async () => {
    const { path: folder, remove } = testFolder('observed');
    onTestFinished(remove);
    const [port = 0, nowhere = 0] = await freePorts('127.0.0.1', 2);
    await using worker = startProcess(['node', path.join(ROOT, 'setup/run.mjs'), 'worker'], {
      env: {
        DATA_DIR: folder,
        TEMPORAL_ADDRESS: `127.0.0.1:${String(nowhere)}`,
        WORKER_HTTP_PORT: String(port),
      },
    });
    await worker.waitFor(/waiting for Temporal/);
    expect(await statusOf(String(port), '/healthz')).toBe(200);
    const readiness = await ask(String(port), '/readyz');
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toEqual({
      ready: false,
      temporal: false,
      polling: false,
      stopping: false,
    });
  });

  it('is not ready from the moment it stops until its last activity has ended, and then answers nothing', async () => {
    const port = await freePort();
    await using world = await World.create({ env: { WORKER_HTTP_PORT: port } });
    const store = artifactsIn(world.data_dir);
    const events = new EventEmitter();
    const reached = once(events, 'reached');
    const released = once(events, 'released');
    const worker = await startWorker(loadConfig(world.env), {
      deps: {
        store: {
          ...store,
          async saveJob(job, log) {
            events.emit('reached');
            await released;
            await store.saveJob(job, log);
          },
        },
      },
      log: () => undefined,
    });
    expect(await statusOf(port, '/readyz')).toBe(200);
    await world.start(planOf(['a']));
    await reached;
    const closing = worker.close();
    const readiness = await ask(port, '/readyz');
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({ ready: false, stopping: true });
    expect(await statusOf(port, '/healthz')).toBe(200);
    events.emit('released');
    await closing;
    expect(await statusOf(port, '/readyz')).toBe(0);
  });

  it('refuses a port that another program uses, in one line, before it waits for anything', async () => {
    const { path: folder, remove } = testFolder('observed');
    onTestFinished(remove);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const port = String((other.address() as AddressInfo).port);
    await using worker = startProcess(['node', path.join(ROOT, 'setup/run.mjs'), 'worker'], {
      env: { DATA_DIR: folder, TEMPORAL_ADDRESS: '127.0.0.1:1', WORKER_HTTP_PORT: port },
    });
    expect(await worker.exit(), worker.output).toBe(2);
    expect(worker.stderr.trimEnd().split('\n')).toEqual([
      `WORKER_HTTP_PORT: expected a free port, got ${port}, which another program uses on 127.0.0.1; stop that program or set WORKER_HTTP_PORT.`,
    ]);
  });
});

describe.runIf(process.platform === 'linux')('a worker without WORKER_HTTP_PORT', () => {
  it('listens on no port', async () => {
    await using world = await World.create();
    const worker = await world.startWorker();
    expect(await listenersOf([worker.pid])).toEqual([]);
  });
});
