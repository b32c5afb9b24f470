/** What a client, a connection and a body may take, over real sockets and with small limits. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openRequest, rawRequest, trickle } from '../../support/raw-request.js';
import { eventually } from '../../support/eventually.js';
import { LIMITS, type Limits } from '../../../src/api/load/limits.js';
import { harness, read, SECRET } from '../harness.js';
import { planWith } from '../../support/plans.js';

const HOST = 'Host: 127.0.0.1';
const post = (path: string, ...headers: string[]): string =>
  [`POST ${path} HTTP/1.1`, HOST, ...headers].join('\r\n') + '\r\n';
const JSON_TYPE = 'Content-Type: application/json';
const quick: Partial<Limits> = { headers_ms: 150, request_ms: 300, check_ms: 20 };
const isProblem = { 'content-type': 'application/problem+json; charset=utf-8' };

describe('the rate of a client', () => {
  const once = { limits: { requests_per_minute: 3 } };

  it('is refused above the limit as a problem that says when to come back', async () => {
    const { app } = await harness(once);
    const ask = () => app.inject({ url: '/v1/models' });
    for (let asked = 0; asked < 3; asked += 1) expect((await ask()).statusCode).toBe(200);
    const refused = await ask();
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject(isProblem);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d?$/);
    expect(refused.json()).toMatchObject({
      status: 429,
      title: 'Too many requests',
      detail: expect.stringContaining('at most 3 requests a minute') as string,
      instance: '/v1/models',
    });
  });

  it('keeps no act upon a job, no health, no file and no page from being answered', async () => {
    const { app, jobs } = await harness(once);
    jobs.add('a');
    for (let asked = 0; asked < 5; asked += 1) await app.inject({ url: '/v1/models' });
    const status = async (method: 'GET' | 'POST', url: string) =>
      (await app.inject({ method, url })).statusCode;
    expect(await status('GET', '/v1/jobs')).toBe(429);
    for (let asked = 0; asked < 5; asked += 1) {
      expect(await status('POST', '/v1/jobs/a/pause')).toBe(202);
      expect(await status('GET', '/healthz')).toBe(200);
      expect(await status('GET', '/readyz')).toBe(200);
      expect(await status('GET', '/openapi.json')).toBe(200);
      expect(await status('GET', '/v1/jobs/a/clips/0/thumbnail')).toBe(404);
    }
    expect(await status('POST', '/v1/jobs/a/cancel')).toBe(202);
  });

  it('is counted for each key, and not for who has none', async () => {
    const { app } = await harness({ ...once, api_keys: ['first-key', 'second-key'] });
    const ask = async (key: string) =>
      (await app.inject({ url: '/v1/models', headers: { authorization: `Bearer ${key}` } }))
        .statusCode;
    for (let asked = 0; asked < 5; asked += 1) expect(await ask('a-wrong-key')).toBe(401);
    for (let asked = 0; asked < 3; asked += 1) expect(await ask('first-key')).toBe(200);
    expect(await ask('first-key')).toBe(429);
    expect(await ask('second-key')).toBe(200);
  });
});

describe('a request that does not come to its end', () => {
  it.each([
    ['its first line', 'GET /v1/mod', 'x'],
    ['its headers', `GET /healthz HTTP/1.1\r\n${HOST}\r\nX-A: `, 'x'],
    ['its body', `${post('/v1/jobs', JSON_TYPE, 'Content-Length: 1000')}\r\n`, ' '],
    [
      'its chunks',
      `${post('/v1/jobs', JSON_TYPE, 'Transfer-Encoding: chunked')}\r\n`,
      '1\r\n \r\n',
    ],
    [
      'the body of an act',
      `${post('/v1/jobs/a/cancel', JSON_TYPE, 'Content-Length: 99')}\r\n`,
      ' ',
    ],
  ])(
    'is answered 408 as a problem while %s trickles in, and others are answered',
    async (_name, begin, byte) => {
      const { url, app } = await harness({ limits: quick });
      const slow = trickle(openRequest(url, begin), byte);
      expect(
        (await rawRequest(url, ['GET /healthz HTTP/1.1', HOST, 'Connection: close'])).status,
      ).toBe(200);
      const { status, headers, body } = await slow;
      expect(status).toBe(408);
      expect(headers).toMatchObject({ ...isProblem, connection: 'close' });
      expect(JSON.parse(body)).toMatchObject({ status: 408, title: 'Request timed out' });
      await eventually('no connection left', async () => {
        const count = await new Promise<number>((resolve) => {
          app.server.getConnections((_error, connections) => {
            resolve(connections);
          });
        });
        return { done: count === 0, value: count };
      });
    },
  );

  it('ends a connection on which nothing is ever sent', async () => {
    const { url } = await harness({ limits: quick });
    expect((await openRequest(url, '').closed).status).toBe(408);
  });

  it('does not end a stream, which may be answered for as long as it likes', async () => {
    const { url, jobs } = await harness({ limits: quick });
    jobs.add('a');
    const stream = await read(`${url}/v1/jobs/a/events`);
    // Three times as long as a request may take.
    for (let times = 0; times < 3; times += 1) {
      await trickle(
        openRequest(url, `${post('/v1/jobs', JSON_TYPE, 'Content-Length: 9')}\r\n`),
        ' ',
      );
    }
    jobs.warn('a');
    await stream.until((frames) => frames.some(({ event }) => event === 'job.warning'));
    stream.close();
  });

  it('puts no second answer into a stream whose request never ends', async () => {
    const { url, jobs } = await harness({ limits: quick });
    jobs.add('a');
    const begin = `GET /v1/jobs/a/events HTTP/1.1\r\n${HOST}\r\n${JSON_TYPE}\r\nContent-Length: 9\r\n\r\n`;
    const { body } = await openRequest(url, begin).closed;
    expect(body).not.toContain('408');
  });
});

describe('bodies', () => {
  /** Headers as the provider sends them, with a signature that nothing has been compared with yet. */
  const plausible = (length: number | null): string =>
    post(
      '/webhooks/replicate',
      JSON_TYPE,
      'webhook-id: msg_1',
      `webhook-timestamp: ${String(Math.floor(Date.now() / 1000))}`,
      `webhook-signature: v1,${'A'.repeat(43)}=`,
      length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${String(length)}`,
    );
  const at = (seconds: number): string => String(Math.floor(Date.now() / 1000) + seconds);
  const signature = `webhook-signature: v1,${'A'.repeat(43)}=`;
  const ID = 'webhook-id: msg_1';

  it.each([
    ['nothing of the provider', []],
    ['no signature', [ID, `webhook-timestamp: ${at(0)}`]],
    ['no id', [`webhook-timestamp: ${at(0)}`, signature]],
    ['no time', [ID, signature]],
    ['a time that is none', [ID, 'webhook-timestamp: soon', signature]],
    ['an old time', [ID, `webhook-timestamp: ${at(-1_000)}`, signature]],
    ['a time to come', [ID, `webhook-timestamp: ${at(1_000)}`, signature]],
    ['a signature that is none', [ID, `webhook-timestamp: ${at(0)}`, 'webhook-signature: v1,abc']],
    [
      'another kind of signature',
      [ID, `webhook-timestamp: ${at(0)}`, signature.replace('v1', 'v2')],
    ],
    [
      'a signature without an end',
      [ID, `webhook-timestamp: ${at(0)}`, `${signature} ${'x'.repeat(2_000)}`],
    ],
  ])('of a webhook with %s are not waited for', async (_name, headers) => {
    const { url } = await harness();
    const head = post('/webhooks/replicate', JSON_TYPE, ...headers, 'Content-Length: 1000000');
    const request = openRequest(url, `${head}\r\n`);
    const { status, headers: answered } = await request.answer(() => true);
    expect([status, answered['content-type']]).toEqual([401, isProblem['content-type']]);
    request.socket.destroy();
  });

  it('of a webhook have a length that is told, and a small one', async () => {
    const { url } = await harness();
    const statusOf = async (length: number | null): Promise<number> => {
      const request = openRequest(url, `${plausible(length)}\r\n`);
      const { status } = await request.answer(() => true);
      request.socket.destroy();
      return status;
    };
    expect(await statusOf(null)).toBe(411);
    expect(await statusOf(1024 * 1024 + 1)).toBe(413);
  });

  it('are held up to a limit for webhooks, and another for plans, independent of the lengths that unfinished bodies announce', async () => {
    const KIB = 1024;
    const held = { plans: 2_000 * KIB, webhooks: 500 * KIB };
    const { url, app } = await harness({ limits: { held } });
    const half = (): ReturnType<typeof openRequest> => {
      const request = openRequest(url, `${plausible(1000 * KIB)}\r\n`);
      request.socket.write('x'.repeat(50 * KIB));
      return request;
    };
    const flood = Array.from({ length: 200 }, half);
    const refused = flood.map(async (request) => {
      const { status, headers } = await request.answer(() => true);
      return [status, headers['retry-after']];
    });
    let refusals = 0;
    await Promise.all(
      refused.map((one) =>
        Promise.race([
          one.then((answer) => {
            expect(answer).toEqual([503, '5']);
            refusals += 1;
          }),
          eventually('all but what is held refused', async () => ({
            done: refusals >= flood.length - 10,
            value: refusals,
          })),
        ]),
      ),
    );
    expect(refusals).toBeGreaterThanOrEqual(flood.length - 10);
    const plan = await app.inject({
      method: 'POST',
      url: '/v1/jobs/estimate',
      payload: planWith(3),
    });
    expect(plan.statusCode).toBe(200);
    for (const { socket } of flood) socket.destroy();
    const honest = JSON.stringify({ id: 'abc', logs: 'x'.repeat(400 * KIB) });
    await eventually('what was held is free again', async () => {
      const { statusCode } = await app.inject(signed(honest));
      return { done: statusCode === 204, value: statusCode };
    });
  });

  it('of acts are small', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/jobs/a/max-cost',
      payload: { max_cost_usd: 5, note: 'x'.repeat(20_000) },
    });
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toMatchObject({ detail: 'expected a body of at most 16 KiB' });
  });

  function signed(payload: string) {
    const timestamp = at(0);
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    const mac = createHmac('sha256', key).update(`msg_1.${timestamp}.${payload}`).digest('base64');
    return {
      method: 'POST' as const,
      url: '/webhooks/replicate',
      payload,
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'msg_1',
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${mac}`,
      },
    };
  }
});

describe('streams', () => {
  it('are opened up to a limit, and again once one is closed', async () => {
    const { url, jobs } = await harness({ limits: { streams: 2 } });
    jobs.add('a');
    const open = () => read(`${url}/v1/jobs/a/events`);
    const [first, second] = [await open(), await open()];
    const third = await open();
    expect([first.status, second.status, third.status]).toEqual([200, 200, 503]);
    expect(third.headers['retry-after']).toBe('5');
    first.close();
    await eventually('room for another', async () => {
      const next = await open();
      const { status } = next;
      next.close();
      return { done: status === 200, value: status };
    });
    second.close();
  });

  it('are refused where their position is longer than any', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    const headers = { 'last-event-id': '9'.repeat(10_000) };
    expect((await read(`${url}/v1/jobs/a/events`, { headers })).status).toBe(400);
  });
});

it('a connection beyond the limit is not taken, and those that are there are answered', async () => {
  const { url } = await harness({ limits: { connections: 2 } });
  const first = openRequest(url, '');
  const second = openRequest(url, '');
  await eventually('two connections', async () => ({
    done: !first.socket.connecting && !second.socket.connecting,
    value: null,
  }));
  expect((await openRequest(url, `GET /healthz HTTP/1.1\r\n${HOST}\r\n\r\n`).closed).body).toBe('');
  second.socket.write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n\r\n`);
  expect((await second.answer(() => true)).status).toBe(200);
  first.socket.destroy();
  second.socket.destroy();
  expect(LIMITS.connections).toBeGreaterThan(1_000);
});
