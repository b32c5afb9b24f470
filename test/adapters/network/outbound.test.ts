/** What leaves this machine goes through the proxy that the environment names; what stays on it never does. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createReplicateFiles } from '../../../src/adapters/replicate/files-api.js';
import { createReplicate } from '../../../src/adapters/replicate/replicate-client.js';
import { outboundFetch, proxyFor } from '../../../src/adapters/network/outbound.js';
import { loadConfig } from '../../../src/config.js';
import { staysOnThisMachine } from '../../../src/domain/values/loopback.js';
import { startSimulator } from '../../../src/simulator/index.js';
import { startProxy } from '../../support/proxy-server.js';

const proxies = (env: Record<string, string>) => loadConfig(env).proxies;
const NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];
const CREATE = {
  model: 'kwaivgi/kling-v2.5-turbo-pro',
  version: null,
  input: { prompt: 'a fox', duration: 5 },
  cancel_after: 900,
  webhook: null,
};

describe('which way a request takes', () => {
  const P = 'http://proxy.example:3128';
  const rows: [string, Record<string, string>, string, string | null][] = [
    ['https by https_proxy', { https_proxy: P }, 'https://api.replicate.com/v1', 'https_proxy'],
    ['https by HTTPS_PROXY', { HTTPS_PROXY: P }, 'https://api.replicate.com/v1', 'HTTPS_PROXY'],
    ['https by http_proxy alone', { http_proxy: P }, 'https://api.replicate.com/v1', 'http_proxy'],
    ['http by HTTP_PROXY', { HTTP_PROXY: P }, 'http://a.example/', 'HTTP_PROXY'],
    ['http, not by https_proxy', { https_proxy: P }, 'http://a.example/', null],
    ['lower case first', { http_proxy: P, HTTP_PROXY: P }, 'http://a.example/', 'http_proxy'],
    ['no_proxy', { http_proxy: P, no_proxy: 'a.example' }, 'http://a.example/', null],
    ['NO_PROXY', { http_proxy: P, NO_PROXY: 'b, A.Example' }, 'http://a.example/', null],
    ['below a name of no_proxy', { http_proxy: P, no_proxy: 'example' }, 'http://a.example/', null],
    ['a domain with a dot', { http_proxy: P, no_proxy: '.example' }, 'http://a.example/', null],
    ['a domain with a star', { http_proxy: P, no_proxy: '*.example' }, 'http://a.example/', null],
    ['no part of a name', { http_proxy: P, no_proxy: 'ample' }, 'http://a.example/', 'http_proxy'],
    [
      'another port',
      { http_proxy: P, no_proxy: 'a.example:81' },
      'http://a.example/',
      'http_proxy',
    ],
    ['its port', { http_proxy: P, no_proxy: 'a.example:80' }, 'http://a.example/', null],
    ['everything', { http_proxy: P, no_proxy: '*' }, 'https://a.example/', null],
    ['without a proxy', {}, 'https://a.example/', null],
    ['with an empty one', { https_proxy: ' ' }, 'https://a.example/', null],
  ];
  it.each(rows)('%s', (_name, env, url, variable) => {
    expect(proxyFor(new URL(url), proxies(env))?.variable ?? null).toBe(variable);
  });

  it('to this machine is never by a proxy, under whichever name', () => {
    const own = fc.constantFrom(
      'localhost',
      'LOCALHOST',
      'a.localhost',
      '127.0.0.1',
      '127.8.9.1',
      '[::1]',
      '0.0.0.0',
      '[::ffff:127.0.0.1]',
      'localhost.',
    );
    const env = fc.dictionary(fc.constantFrom(...NAMES), fc.constant(P), { minKeys: 1 });
    fc.assert(
      fc.property(own, env, fc.constantFrom('http', 'https'), (host, given, scheme) => {
        expect(proxyFor(new URL(`${scheme}://${host}:7233/`), proxies(given))).toBeNull();
      }),
    );
    for (const host of [
      'example.com',
      'localhost.example',
      '128.0.0.1',
      '10.0.0.1',
      'notlocalhost',
    ]) {
      expect(staysOnThisMachine(host), host).toBe(false);
    }
  });
});

describe('the provider behind a proxy', () => {
  it('gets creates, reads, lists and uploads through it, with the credentials of its URL', async () => {
    const simulator = await startSimulator({
      port: 0,
      speed: 1000,
      data_dir: null,
      allowed_hosts: ['api.provider.example'],
    });
    onTestFinished(() => simulator.close());
    await using proxy = await startProxy({ to: simulator.port });
    const options = {
      token: 'r8_secret',
      base_url: 'http://api.provider.example/v1',
      proxies: proxies({ http_proxy: proxy.url }),
    };
    const replicate = createReplicate(options);
    const created = await replicate.create(CREATE);
    expect(created.type).toBe('created');
    const id = created.type === 'created' ? created.prediction.id : '';
    expect(await replicate.get(id)).toMatchObject({ type: 'found' });
    expect(await replicate.page({ after: 0, before: null })).toMatchObject({
      type: 'page',
      predictions: [{ id }],
    });
    const file = { name: 'a.jpg', content_type: 'image/jpeg', bytes: new Uint8Array([1, 2, 3]) };
    expect((await createReplicateFiles(options).upload(file)).type).toBe('uploaded');
    expect(proxy.seen).toHaveLength(4);
    for (const line of proxy.seen) expect(line).toContain('http://api.provider.example/v1/');
    expect(new Set(proxy.credentials)).toEqual(new Set(['user:s3cret']));
  });

  it('on this machine is asked without it', async () => {
    const simulator = await startSimulator({ port: 0, speed: 1000, data_dir: null });
    onTestFinished(() => simulator.close());
    await using proxy = await startProxy({ refuses: 500 });
    const env = Object.fromEntries(NAMES.map((name) => [name, proxy.url]));
    const replicate = createReplicate({
      token: 'r8',
      base_url: simulator.url,
      proxies: proxies(env),
    });
    expect(await replicate.page({ after: 0, before: null })).toMatchObject({ type: 'page' });
    expect(proxy.seen).toEqual([]);
  });

  it.each(['http', 'https'])(
    'over %s names a proxy that refuses, without its password',
    async (scheme) => {
      await using proxy = await startProxy({ refuses: 407 });
      const options = { token: 'r8', base_url: `${scheme}://api.provider.example/v1` };
      const outcome = await createReplicate({
        ...options,
        proxies: proxies({ https_proxy: proxy.url, http_proxy: proxy.url }),
      }).create(CREATE);
      const said = `the proxy http://${proxy.host} (${scheme}_proxy): it refused with HTTP 407`;
      expect(JSON.stringify(outcome)).toContain(said);
      expect(JSON.stringify(outcome)).not.toMatch(/s3cret|user:/);
      expect(proxy.seen).toHaveLength(1);
    },
  );

  it('names a proxy that cannot be reached, without its password', async () => {
    const replicate = createReplicate({
      token: 'r8',
      base_url: 'https://api.provider.example/v1',
      proxies: proxies({ HTTPS_PROXY: 'http://user:s3cret@127.0.0.1:9' }),
    });
    const outcome = await replicate.page({ after: 0, before: null });
    expect(outcome).toEqual({
      type: 'unreadable',
      message: 'no answer through the proxy http://127.0.0.1:9 (HTTPS_PROXY): ECONNREFUSED',
    });
  });

  it('is tunnelled to over https: the proxy learns a host and nothing else', async () => {
    const plain = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void plain.close());
    await using proxy = await startProxy({ to: (plain.address() as AddressInfo).port });
    const through = outboundFetch(proxies({ https_proxy: proxy.url }));
    await expect(
      through('https://files.example/a.mp4', { headers: { authorization: 'r8' } }),
    ).rejects.toThrow(/through the proxy/);
    expect(proxy.seen).toEqual(['CONNECT files.example:443']);
  });
});

describe('a proxy that is set wrongly', () => {
  it.each([
    ['http_proxy', 'proxy.example:3128'],
    ['HTTPS_PROXY', 'not a url'],
    ['https_proxy', 'socks5://proxy.example:1080'],
    ['HTTP_PROXY', 'http://user:s3cret@proxy.example:99999'],
    ['grpc_proxy', 'http://'],
  ])('is a setting that names itself: %s=%s', (variable, value) => {
    const load = () => loadConfig({ [variable]: value });
    expect(load).toThrow(new RegExp(`^${variable}: expected the URL of a proxy`));
    expect(load).not.toThrow(/s3cret/);
  });
});
