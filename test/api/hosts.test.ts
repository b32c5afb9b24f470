/** Who is answered without keys, over real sockets: no client library would send most of these. */
import { describe, expect, it } from 'vitest';
import { startPeer } from '../simulator/support.js';
import { rawRequest } from '../support/raw-request.js';
import { harness } from './harness.js';
import { planWith } from '../support/plans.js';

const PLACES = [
  ['GET', '/'],
  ['HEAD', '/'],
  ['GET', '/jobs/a'],
  ['GET', '/assets/web/main.js'],
  ['GET', '/docs'],
  ['GET', '/docs/static/index.html'],
  ['GET', '/docs/json'],
  ['GET', '/openapi.json'],
  ['GET', '/healthz'],
  ['HEAD', '/readyz'],
  ['GET', '/metrics'],
  ['GET', '/v1/jobs'],
  ['GET', '/v1/jobs/a'],
  ['GET', '/v1/jobs/a/events'],
  ['GET', '/v1/jobs/a/events?after=0'],
  ['HEAD', '/v1/jobs/a/clips/0/video'],
  ['POST', '/v1/jobs/a/cancel'],
  ['POST', '/webhooks/replicate'],
  ['OPTIONS', '/v1/jobs'],
  ['DELETE', '/v1/jobs/a'],
  ['GET', '/nothing'],
  ['GET', '/%zz'],
] as const;

const close = 'Connection: close';

describe('the API without keys', () => {
  it.each(PLACES)('answers %s %s for no host but its own', async (method, place) => {
    const { url, jobs } = await harness();
    jobs.add('a');
    const answer = await rawRequest(url, [
      `${method} ${place} HTTP/1.1`,
      `Host: evil.example:${new URL(url).port}`,
      close,
    ]);
    expect(answer.status).toBe(403);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
    });
    if (method !== 'HEAD') expect(answer.body).toContain('ALLOWED_HOSTS=evil.example');
    expect(jobs.latest('a').run.is_canceling).toBe(false);
  });

  it('starts no job for a page whose name was made to lead here, though it looks like our own', async () => {
    const { url, jobs } = await harness();
    const { port } = new URL(url);
    const body = JSON.stringify(planWith(1));
    const start = (host: string) =>
      rawRequest(url, [
        'POST /v1/jobs HTTP/1.1',
        `Host: ${host}`,
        `Origin: http://${host}`,
        'Content-Type: application/json',
        `Content-Length: ${String(body.length)}`,
        `X-Forwarded-Host: localhost:${port}`,
        `Forwarded: host=localhost:${port}`,
        close,
        '',
        body,
      ]);
    expect((await start(`evil.example:${port}`)).status).toBe(403);
    expect(jobs.runs.size).toBe(0);
    expect((await start(`localhost:${port}`)).status).toBe(202);
    expect(jobs.runs.size).toBe(1);
  });

  it.each([
    ['no Host', ['GET /v1/models HTTP/1.1'], 400],
    ['no Host in HTTP/1.0', ['GET /v1/models HTTP/1.0'], 400],
    ['an empty Host', ['GET /v1/models HTTP/1.1', 'Host:'], 400],
    ['two', ['GET /v1/models HTTP/1.1', 'Host: localhost', 'Host: evil.example'], 400],
    ['another target', ['GET http://evil.example/v1/models HTTP/1.1', 'Host: localhost'], 403],
    ['our target', ['GET http://localhost/v1/models HTTP/1.1', 'Host: localhost'], 200],
    ['0.0.0.0', ['GET /v1/models HTTP/1.1', 'Host: 0.0.0.0'], 403],
    ['a number for 127.0.0.1', ['GET /v1/models HTTP/1.1', 'Host: 2130706433'], 200],
  ])('is strict about requests with %s', async (_what, lines, status) => {
    const { url } = await harness();
    const answer = await rawRequest(url, [...lines, close]);
    expect([answer.status, answer.body.slice(0, 200)]).toEqual([status, expect.any(String)]);
  });

  it('answers for hosts that are allowed, streams included', async () => {
    const { url, jobs } = await harness({ allowed_hosts: ['clips.example'] });
    jobs.add('a');
    const lines = ['GET /v1/jobs/a/events HTTP/1.1', 'Host: clips.example'];
    const { status, headers } = await rawRequest(url, lines, ({ body }) =>
      body.includes('event: snapshot'),
    );
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  it('takes webhooks by the host that they are sent to, and nothing else by it', async () => {
    const { app } = await harness({ webhook_url: 'https://hooks.example/webhooks/replicate' });
    const ask = async (method: 'GET' | 'POST', url: string, host: string) =>
      (await app.inject({ method, url, headers: { host } })).statusCode;
    // Let in, and refused for want of a signature.
    expect(await ask('POST', '/webhooks/replicate', 'hooks.example')).toBe(401);
    expect(await ask('POST', '/webhooks/replicate', 'hooks.example:443')).toBe(401);
    expect(await ask('POST', '/webhooks/replicate', 'evil.example')).toBe(403);
    expect(await ask('GET', '/v1/models', 'hooks.example')).toBe(403);
    expect(await ask('GET', '/webhooks/replicate', 'hooks.example')).toBe(403);
  });

  it('says which header a proxy has to pass on when a page of its own looks foreign', async () => {
    const { app, jobs } = await harness({ allowed_hosts: ['clips.example'] });
    jobs.add('a');
    const cancel = (origin: string, host: string) =>
      app.inject({ method: 'POST', url: '/v1/jobs/a/cancel', headers: { origin, host } });
    const refused = await cancel('https://clips.example', '127.0.0.1:3000');
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({
      detail: expect.stringContaining('proxy_set_header Host $http_host;') as string,
    });
    expect((await cancel('https://evil.example', 'clips.example')).statusCode).toBe(403);
    expect((await cancel('https://clips.example', 'clips.example:443')).statusCode).toBe(202);
    expect((await cancel('http://clips.example:80', 'clips.example')).statusCode).toBe(202);
  });
});

describe('the API with keys', () => {
  it('answers for any host, but takes no more than one', async () => {
    const { url } = await harness({ api_keys: ['a-key-of-sixteen'] });
    const lines = ['GET /v1/models HTTP/1.1', 'Authorization: Bearer a-key-of-sixteen', close];
    const ask = async (...hosts: string[]) => (await rawRequest(url, [...lines, ...hosts])).status;
    expect(await ask('Host: clips.example')).toBe(200);
    expect(await ask()).toBe(400);
    expect(await ask('Host: clips.example', 'Host: clips.example')).toBe(400);
  });
});

describe('the simulator', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/simulator/stats'],
    ['POST', '/simulator/reset'],
    ['DELETE', '/simulator/faults'],
    ['GET', '/v1/predictions'],
    ['GET', '/delivery/a/b.mp4'],
    ['GET', '/nothing'],
  ])('answers %s %s for no host but its own', async (method, place) => {
    const peer = await startPeer();
    const ask = (...lines: string[]) =>
      rawRequest(peer.simulator.control_url, [`${method} ${place} HTTP/1.1`, ...lines, close]);
    const answer = await ask('Host: evil.example:8288');
    expect([answer.status, answer.headers['content-type']]).toEqual([
      403,
      'application/problem+json; charset=utf-8',
    ]);
    expect(answer.body).toContain('ALLOWED_HOSTS=evil.example');
    expect((await ask('Host: localhost')).status).not.toBe(403);
  });

  it('lets no page of another origin act', async () => {
    const peer = await startPeer();
    const reset = async (origin: string) =>
      (
        await rawRequest(peer.simulator.control_url, [
          'POST /simulator/reset HTTP/1.1',
          'Host: localhost:8288',
          `Origin: ${origin}`,
          close,
        ])
      ).status;
    expect(await reset('https://evil.example')).toBe(403);
    expect(await reset('http://localhost:8288')).toBe(200);
  });
});
