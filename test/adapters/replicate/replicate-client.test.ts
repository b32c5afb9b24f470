/** The adapter against a real HTTP server that misbehaves on request: one call is one request, and an outcome. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createReplicate } from '../../../src/adapters/replicate/replicate-client.js';
import type { CreateRequest } from '../../../src/adapters/replicate/replicate-client.js';

type Behave = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A peer that behaves as told, and how often it was asked. */
async function peer(behave: Behave, timeout = 2_000) {
  const seen: { method: string; url: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
    });
    request.resume().on('end', () => {
      behave(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const base_url = `http://127.0.0.1:${String(port)}/v1`;
  return { replicate: createReplicate({ token: 'r8_secret', base_url, timeout }), seen, base_url };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behave =>
  (_request, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify(body));

const REQUEST: CreateRequest = {
  model: 'kwaivgi/kling-v2.5-turbo-pro',
  version: null,
  input: { prompt: 'a fox', duration: 5 },
  cancel_after: 900.2,
  webhook: null,
};

const SPAN = { after: Date.UTC(2026, 10, 22, 9), before: Date.UTC(2026, 10, 22, 11) };

const PREDICTION = {
  id: 'gm3qorzdhgbfurvjtvhg6dckhu',
  model: REQUEST.model,
  version: 'hidden',
  input: REQUEST.input,
  status: 'starting',
  output: null,
  error: null,
  logs: '',
  data_removed: false,
  created_at: '2026-11-22T10:00:00.000Z',
  urls: { web: 'https://replicate.com/p/gm3q', get: 'x', cancel: 'y' },
};

/** As fast as it is read, until its reader has enough. */
const endless: Behave = (_request, response) => {
  response.writeHead(201, { 'content-type': 'application/json' });
  const more = (): void => {
    while (response.socket?.destroyed === false && response.write(' '.repeat(2 ** 16)));
  };
  response.on('drain', more);
  more();
};
/** 64 MiB of spaces, in 64 kB. */
const bomb: Behave = (_request, response) =>
  void response
    .writeHead(201, { 'content-encoding': 'gzip' })
    .end(gzipSync(Buffer.alloc(64 * 2 ** 20, 0x20)));

describe('create', () => {
  it('posts to the official model with a deadline at the provider, and returns the prediction', async () => {
    const { replicate, seen } = await peer(json(201, PREDICTION));
    const outcome = await replicate.create(REQUEST);
    expect(outcome).toMatchObject({ type: 'created', prediction: { id: PREDICTION.id } });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: '/v1/models/kwaivgi/kling-v2.5-turbo-pro/predictions',
      headers: { 'cancel-after': '901s', authorization: 'Bearer r8_secret' },
    });
  });

  it('posts a community model to /predictions', async () => {
    const { replicate, seen } = await peer(json(201, PREDICTION));
    await replicate.create({ ...REQUEST, version: 'a'.repeat(64) });
    expect(seen.map(({ url }) => url)).toEqual(['/v1/predictions']);
  });

  const unclear: [string, Behave][] = [
    ['a reset connection', (_request, response) => void response.socket?.resetAndDestroy()],
    ['a 500', json(500, { detail: 'oops' })],
    ['a 502 of HTML', (_request, response) => void response.writeHead(502).end('<html>bad</html>')],
    ['a garbled 201', (_request, response) => void response.writeHead(201).end('{"id": "abc')],
    ['a 201 without an id', json(201, { status: 'starting' })],
    [
      'a 201 whose body is cut off',
      (_request, response) => {
        response.writeHead(201, { 'content-length': '5000' });
        response.write('{"id": "abc"', () => response.socket?.destroy());
      },
    ],
    ['a redirect', (_request, response) => void response.writeHead(307, { location: '/x' }).end()],
    ['no answer at all', () => undefined],
    ['an answer without an end', endless],
    ['a small answer that unpacks to a large one', bomb],
    ['a refusal with a prediction in it', json(422, PREDICTION)],
    ['a request for patience with a prediction in it', json(429, PREDICTION)],
    ['a refusal that proves nothing', json(409, { detail: 'you have hit your spend limit' })],
    ['an id that is no name of a file', json(201, { ...PREDICTION, id: '..' })],
    ['an id of another size', json(201, { ...PREDICTION, id: 'a'.repeat(101) })],
    [
      'a prediction deeper than a stack',
      (_request, response) => {
        const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
        response.writeHead(201).end(`{"id":"abc","status":"starting","input":{"a":${deep}}}`);
      },
    ],
  ];
  it.each(unclear)('is unclear, after exactly one request, on %s', async (_name, behave) => {
    const { replicate, seen } = await peer(
      behave,
      behave === endless || behave === bomb ? 60_000 : 300,
    );
    expect(await replicate.create(REQUEST)).toMatchObject({ type: 'unclear' });
    expect(seen).toHaveLength(1);
  });

  const throttled: [string, Behave, number][] = [
    ['the body', json(429, { detail: 'slow', retry_after: 9 }, { 'retry-after': '3' }), 9],
    ['the header', json(429, { detail: 'slow' }, { 'retry-after': '7' }), 7],
    ['the text', json(429, { detail: 'Your rate limit resets in ~30s.' }), 30],
    [
      'a date',
      json(
        429,
        {},
        { date: 'Mon, 01 Jan 2029 10:00:00 GMT', 'retry-after': 'Mon, 01 Jan 2029 10:00:20 GMT' },
      ),
      20,
    ],
    [
      'the header of an answer with a body of null',
      json(429, { retry_after: null }, { 'retry-after': '7' }),
      7,
    ],
    ['no field', json(429, { detail: 'slow' }), 10],
  ];
  it.each(throttled)('is throttled for as long as %s says', async (_name, behave, seconds) => {
    const { replicate, seen } = await peer(behave);
    expect(await replicate.create(REQUEST)).toMatchObject({ type: 'throttled', seconds });
    expect(seen).toHaveLength(1);
  });

  const rejected: [number, string, string][] = [
    [401, 'You did not pass a valid authentication token', 'unauthorized'],
    [402, 'You have insufficient credit to run this model', 'insufficient_credit'],
    [403, "You've hit your monthly spend limit.", 'insufficient_credit'],
    [422, '- input: prompt is required', 'invalid_input'],
    [404, 'The requested resource could not be found.', 'invalid_input'],
    [400, 'Your prompt was rejected by the content filter', 'flagged'],
    [403, 'The prompt violates our usage policy', 'flagged'],
    [403, 'You do not have permission to run this model', 'unauthorized'],
    [451, 'Unavailable for legal reasons', 'flagged'],
    [422, '- input.start_image: Does not match format uri', 'invalid_reference'],
    [400, 'Could not download the image', 'invalid_reference'],
    [422, '- input.duration: must be one of 5, 10', 'invalid_input'],
  ];
  it.each(rejected)('is rejected on %i (%s) as %s', async (status, detail, kind) => {
    const { replicate, seen } = await peer(json(status, { title: 'T', detail, status }));
    const outcome = await replicate.create(REQUEST);
    expect(outcome).toMatchObject({ type: 'rejected', kind });
    expect(JSON.stringify(outcome)).toContain(detail);
    expect(JSON.stringify(outcome)).not.toContain('r8_secret');
    expect(seen).toHaveLength(1);
  });
});

describe('a model that the provider does not have', () => {
  it.each([404, 410])(
    'is known by %i, after one request, and by no other status',
    async (status) => {
      const gone = await peer(json(status, { detail: 'The requested resource', status }));
      expect(await gone.replicate.create(REQUEST)).toMatchObject({
        type: 'rejected',
        kind: 'invalid_input',
        is_model_gone: true,
      });
      expect(gone.seen).toHaveLength(1);
      const other = await peer(json(422, { detail: '- input: prompt is required' }));
      expect(await other.replicate.create(REQUEST)).toMatchObject({ is_model_gone: false });
    },
  );

  it.each([404, 410])('has no version to pin: %i', async (status) => {
    const { replicate } = await peer(json(status, { detail: 'not found' }));
    expect(await replicate.latestVersion('a/b')).toMatchObject({
      type: 'unreadable',
      kind: 'invalid_input',
      is_model_gone: true,
    });
  });
});

describe('get', () => {
  it.each([
    ['a string', 'https://replicate.delivery/a.mp4'],
    ['a list', ['https://replicate.delivery/a.mp4']],
    ['an object', { url: 'https://replicate.delivery/a.mp4' }],
  ])('reads an output that is %s', async (_name, output) => {
    const { replicate } = await peer(json(200, { ...PREDICTION, status: 'succeeded', output }));
    expect(await replicate.get(PREDICTION.id)).toMatchObject({
      type: 'found',
      prediction: { status: 'succeeded', output_url: 'https://replicate.delivery/a.mp4' },
    });
  });

  it.each(['starting', 'processing', 'succeeded', 'failed', 'canceled', 'aborted'])(
    'knows the status %s',
    async (status) => {
      const { replicate } = await peer(json(200, { ...PREDICTION, status }));
      expect(await replicate.get('x')).toMatchObject({ prediction: { status } });
    },
  );

  it('says missing on 404 and unreadable on 503, each after one request', async () => {
    const missing = await peer(json(404, { detail: 'not found' }));
    expect(await missing.replicate.get('x')).toEqual({ type: 'missing' });
    const broken = await peer(json(503, { detail: 'down' }));
    expect(await broken.replicate.get('x')).toMatchObject({ type: 'unreadable' });
    expect([missing.seen.length, broken.seen.length]).toEqual([1, 1]);
  });
});

describe('a page of the list', () => {
  it('is followed on the configured origin only, with any host in `next`', async () => {
    const elsewhere = await peer(json(200, { results: [] }));
    const { replicate, seen } = await peer((request, response) => {
      const isFirst = !(request.url ?? '').includes('cursor=2');
      json(200, {
        results: [{ ...PREDICTION, id: isFirst ? 'first' : 'second' }],
        next: isFirst ? `${elsewhere.base_url}/predictions?cursor=2` : null,
      })(request, response);
    });
    const first = await replicate.page(SPAN);
    expect(first).toMatchObject({ predictions: [{ id: 'first' }], next: '?cursor=2' });
    const second = await replicate.page({ next: '?cursor=2' });
    expect(second).toMatchObject({ predictions: [{ id: 'second' }], next: null });
    expect(seen.map(({ url }) => url)).toEqual([
      '/v1/predictions?created_after=2026-11-22T09%3A00%3A00.000Z&created_before=2026-11-22T11%3A00%3A00.000Z',
      '/v1/predictions?cursor=2',
    ]);
    expect(elsewhere.seen).toHaveLength(0);
  });

  it.each([[null], [{ id: '..', status: 'starting' }], [{ id: 'abc' }], ['abc']])(
    'says how much on it is no prediction, for that may be what is looked for: %j',
    async (odd) => {
      const { replicate } = await peer(json(200, { results: [PREDICTION, odd], next: null }));
      expect(await replicate.page(SPAN)).toMatchObject({
        predictions: [{ id: PREDICTION.id }],
        odd: 1,
      });
    },
  );
});

describe('the provider that wants not to be asked', () => {
  it.each([429, 503])('says for how long in a refused reading or list, with %i', async (status) => {
    const { replicate } = await peer(json(status, { detail: 'busy' }, { 'retry-after': '4' }));
    const unreadable = { type: 'unreadable', retry_after: 4 };
    expect(await replicate.get('x')).toMatchObject(unreadable);
    expect(await replicate.cancel('x')).toMatchObject(unreadable);
    expect(await replicate.page(SPAN)).toMatchObject(unreadable);
  });
});

describe('the clock', () => {
  it('is learned from any answer, good or bad', async () => {
    const date = new Date(Date.now() + 70 * 60_000).toUTCString();
    const bad: Behave[] = [
      json(500, {}, { date }),
      json(404, {}, { date }),
      json(429, {}, { date }),
    ];
    for (const behave of [json(200, PREDICTION, { date }), ...bad]) {
      const { replicate } = await peer(behave);
      expect(replicate.clock.error).toBe(Infinity);
      await replicate.get('x');
      expect(Math.abs(replicate.clock.ahead - 70 * 60_000)).toBeLessThanOrEqual(
        replicate.clock.error,
      );
    }
  });

  it('stands in for a time of creation that is missing, so that a list does not lose it', async () => {
    const { created_at: _missing, ...bare } = PREDICTION;
    const date = new Date(Date.now() + 70 * 60_000).toUTCString();
    const { replicate } = await peer(json(200, { results: [bare], next: null }, { date }));
    await replicate.page(SPAN);
    const answer = await replicate.page(SPAN);
    const time = answer.type === 'page' ? Date.parse(answer.predictions[0]?.created_at ?? '') : NaN;
    expect(Math.abs(time - replicate.clock.now())).toBeLessThan(10_000);
  });
});

describe('what a provider says at length', () => {
  it('is kept in part, and no address but one of the web is', async () => {
    const long = 'x'.repeat(1_000_000);
    const { replicate } = await peer(
      json(200, { ...PREDICTION, error: long, logs: long, urls: { web: 'javascript:alert(1)' } }),
    );
    const answer = await replicate.get('x');
    expect(answer).toMatchObject({
      prediction: { web_url: `https://replicate.com/p/${PREDICTION.id}` },
    });
    expect(JSON.stringify(answer).length).toBeLessThan(50_000);
  });
});

describe('a spend limit', () => {
  it.each([402, 403, 429])(
    'answered with %i is a matter of money, not of patience',
    async (status) => {
      const { replicate } = await peer(
        json(status, { detail: 'You have reached your spend limit.' }),
      );
      const answer = await replicate.create(REQUEST);
      expect(answer).toMatchObject({ type: 'rejected', kind: 'insufficient_credit' });
    },
  );
});

describe('webhookSecret', () => {
  it('is what the account signs with', async () => {
    const key = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
    const { replicate, seen } = await peer(json(200, { key }));
    expect(await replicate.webhookSecret()).toEqual({ type: 'found', secret: key });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/webhooks/default/secret',
    ]);
  });

  it.each([
    ['a refusal', json(401, { title: 'Unauthenticated' })],
    ['a failure', json(500, {})],
    ['an empty key', json(200, { key: 'whsec_' })],
    ['another shape', json(200, { secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' })],
  ])('cannot be had from %s', async (_name, behave) => {
    const { replicate } = await peer(behave);
    expect((await replicate.webhookSecret()).type).toBe('unreadable');
  });
});
