/** A proxy in the environment changes nothing for what runs on this machine, and carries what leaves it. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectTemporal, connectWhenNeeded } from '../../src/adapters/temporal/connection.js';
import { planOf } from '../support/plans.js';
import { startProcess } from '../support/processes.js';
import { startProxy } from '../support/proxy-server.js';
import { temporalServer } from '../support/temporal-server.js';
import { World } from '../support/world.js';

const NAMES = ['http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy'];
const everyName = (url: string): Record<string, string> =>
  Object.fromEntries(
    NAMES.flatMap((name) => [
      [name, url],
      [name.toUpperCase(), url],
    ]),
  );

/** For this process, until the test is over. */
function setEnvironment(env: Record<string, string>): void {
  const before = { ...process.env };
  Object.assign(process.env, env);
  onTestFinished(() => {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  });
}

describe('with a proxy in every variable', () => {
  it('the embedded server starts, and is asked, without it', async () => {
    await using proxy = await startProxy({ refuses: 500 });
    setEnvironment(everyName(proxy.url));
    await using server = await temporalServer();
    for (const host of ['127.0.0.1', 'localhost']) {
      const address = `${host}:${String(server.port)}`;
      const connection = await connectTemporal({ address });
      await connection.close();
      const lazy = connectWhenNeeded({
        address,
        channelArgs: { 'grpc.max_reconnect_backoff_ms': 200 },
      });
      await lazy.workflowService.getSystemInfo({});
      await lazy.close();
    }
    expect(proxy.seen).toEqual([]);
  });

  it('a worker renders a job on this machine without it', async () => {
    await using proxy = await startProxy({ refuses: 500 });
    await using world = await World.create({ env: everyName(proxy.url) });
    await world.startWorker();
    const job = await (await world.start(planOf(['a kingfisher']))).end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1 });
    expect(proxy.seen).toEqual([]);
  });

  it('a worker creates, reads and downloads through it when the provider is elsewhere', async () => {
    await using world = await World.create({ provider_hosts: ['provider.example'] });
    await using proxy = await startProxy({ to: world.simulator.port });
    await using elsewhere = await World.create({
      env: { http_proxy: proxy.url, REPLICATE_BASE_URL: 'http://provider.example/v1' },
    });
    await elsewhere.startWorker();
    const job = await (await elsewhere.start(planOf(['a kingfisher']))).end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1 });
    expect((await world.stats()).creates).toBe(1);
    const through = (part: string): boolean => proxy.seen.some((line) => line.includes(part));
    expect(through('POST http://provider.example/v1/models/')).toBe(true);
    expect(through('GET http://provider.example/v1/predictions/')).toBe(true);
    expect(through('/delivery/')).toBe(true);
  });
});

it.each(['simulator', 'worker', 'api', 'orphans'])(
  'npm run %s names a proxy that is no URL, at once',
  async (command) => {
    await using started = startProcess(['npm', 'run', '--silent', command], {
      env: { https_proxy: 'user:s3cret@proxy.example' },
    });
    expect(await started.exit()).toBe(2);
    expect(started.output).toMatch(
      /^https_proxy: expected the URL of a proxy, as http:\/\/host:port/m,
    );
    expect(started.output).not.toContain('s3cret');
  },
);
