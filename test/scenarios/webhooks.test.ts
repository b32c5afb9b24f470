/**
 * Webhooks from the provider through the API to the worker that polls. The workers here read a prediction only
 * once an hour by themselves: a read before that was made because of a webhook.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStore } from '../../src/adapters/storage/open-store.js';
import { startApi } from '../../src/api/server.js';
import type { RunningApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import { startBucket } from '../support/bucket.js';
import { eventually } from '../support/eventually.js';
import { lacks } from '../support/needed-programs.js';
import { planOf } from '../support/plans.js';
import { testFolder } from '../support/test-folder.js';
import { World } from '../support/world.js';

const HOUR = 3_600_000;
/** No execution times out within a test: a re-attachment would read as well. */
const timings = { start_to_close: 3_600, heartbeat: 15 };
const READ = '/v1/predictions/:id';

const webhookUrl = (api: RunningApi): string => `${api.url}/webhooks/replicate`;

async function withApi(
  world: World,
  own: Record<string, string> = {},
): Promise<{ api: RunningApi } & AsyncDisposable> {
  const settings = { log_level: 'error' };
  const api = await startApi(loadConfig({ ...world.env, ...own }), { port: 0, settings });
  return { api, [Symbol.asyncDispose]: () => api.close() };
}

const countedByApi = async (api: RunningApi, name: string): Promise<number> => {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  return Number(new RegExp(`^clip_generator_api_${name} (\\d+)$`, 'm').exec(text)?.[1]);
};

describe('webhooks', () => {
  it('wake the poller long before it would have looked', async () => {
    await using world = await World.create({ timings });
    await using opened = await withApi(world);
    await world.startWorker({ webhook_url: webhookUrl(opened.api), poll_interval: HOUR });
    const run = await world.start(planOf(['[[hold:while-processing]] a heron']));
    await run.until('the clip renders', ({ clips }) => clips[0]?.status === 'running');
    expect((await world.stats()).reads[READ]).toBeUndefined();
    await world.control('POST', '/release', { all: true });
    expect(await run.end()).toMatchObject({
      status: 'succeeded',
      clips: [{ attempt: 1, retry_count: 0 }],
    });
    expect((await world.stats()).reads[READ]).toBe(1);
    expect(await countedByApi(opened.api, 'webhooks_refused_total')).toBe(0);
  });

  it.each(['duplicate', 'out_of_order'])(
    'that come %s change nothing: each clip is stored and paid once',
    async (webhooks) => {
      await using world = await World.create({ timings });
      await using opened = await withApi(world);
      await world.control('POST', '/settings', { webhooks });
      await world.startWorker({ webhook_url: webhookUrl(opened.api), poll_interval: HOUR });
      const prompts = ['a heron', '[[fail-once]] a heron at dusk', '[[slow:1]] a heron at night'];
      const run = await world.start(planOf(prompts));
      const job = await run.end();
      expect(job).toMatchObject({ status: 'succeeded', successful_clips: 3, failed_clips: 0 });
      expect(job.clips.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
      const { creates, bills } = await world.stats();
      expect(creates).toBe(4);
      expect(job.clips.flatMap(({ predictions }) => predictions)).toHaveLength(4);
      expect(job.total_cost_usd).toBeCloseTo(bills.usd, 6);
      const events = await run.events();
      expect(events.filter(({ type }) => type === 'clip.completed')).toHaveLength(3);
    },
  );

  it.each<[string, string, (api: RunningApi) => string]>([
    ['are all lost', 'lost', webhookUrl],
    ['go to an address that does not exist', 'normal', (api) => `${api.url}/nowhere`],
  ])('are not needed: when they %s the job ends the same', async (_name, webhooks, urlOf) => {
    await using world = await World.create();
    await using opened = await withApi(world);
    await world.control('POST', '/settings', { webhooks });
    await world.startWorker({ webhook_url: urlOf(opened.api) });
    const job = await (await world.start(planOf(['a heron', 'a heron at dusk']))).end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expect((await world.stats()).creates).toBe(2);
    expect(await countedByApi(opened.api, 'webhooks_taken_total')).toBe(0);
  });
});

describe.skipIf(lacks('an S3 server'))('webhooks without a common disk', () => {
  it('wake the worker through the bucket long before it would have looked, and leave nothing there', async () => {
    await using bucket = await startBucket();
    const env = bucket.env();
    // The API runs in this process, and the client of the bucket reads its credentials from there.
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    await using world = await World.create({ timings, env });
    const elsewhere = testFolder('another-disk');
    onTestFinished(elsewhere.remove);
    await using opened = await withApi(world, { DATA_DIR: elsewhere.path });
    await world.startWorker({ webhook_url: webhookUrl(opened.api), poll_interval: HOUR });
    const run = await world.start(planOf(['[[hold:while-processing]] a heron']));
    await run.until('the clip renders', ({ clips }) => clips[0]?.status === 'running');
    expect((await world.stats()).reads[READ]).toBeUndefined();
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', clips: [{ attempt: 1, retry_count: 0 }] });
    expect((await world.stats()).reads[READ]).toBe(1);
    expect(await countedByApi(opened.api, 'webhooks_refused_total')).toBe(0);
    const video = await fetch(`${opened.api.url}${job.clips[0]?.video_url ?? ''}`);
    expect((await video.arrayBuffer()).byteLength).toBe(job.clips[0]?.video_bytes);
    const store = await openStore(loadConfig(world.env));
    await eventually('no hint to be left', async () => {
      const { keys } = await store.list('wakes/');
      return { done: keys.length === 0, value: keys };
    });
  });
});
