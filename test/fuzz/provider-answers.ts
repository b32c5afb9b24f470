/**
 * Any answers to the provider's real client: it never throws, asks once, and says that nothing was created only where the
 * answer proves it.
 */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect } from 'vitest';
import { createReplicateFiles } from '../../src/adapters/replicate/files-api.js';
import { createReplicate } from '../../src/adapters/replicate/replicate-client.js';
import type { Replicate } from '../../src/adapters/replicate/replicate-client.js';
import { anyJson, mutated, oddText, propertyOf } from './fuzzer.js';
import type { Fuzzer } from './fuzzer.js';

const TOKEN = 'r8_the_token_of_the_fuzzer';

const PREDICTION = {
  id: 'gm3qorzdhgbfurvjtvhg6dckhu',
  model: 'kwaivgi/kling-v2.5-turbo-pro',
  version: 'hidden',
  input: { prompt: 'a fox', duration: 5 },
  status: 'starting',
  output: ['https://replicate.delivery/a.mp4'],
  error: null,
  logs: '10%|',
  data_removed: false,
  created_at: '2026-11-22T10:00:00.000Z',
  started_at: null,
  completed_at: null,
  metrics: { predict_time: 1.5 },
  urls: { web: 'https://replicate.com/p/gm3q', get: 'https://a/x', cancel: 'https://a/y' },
};
const LIST = { results: [PREDICTION, PREDICTION], next: '/v1/predictions?cursor=2' };
const MODEL = { latest_version: { id: 'a'.repeat(64), openapi_schema: {} } };
const FILE = { urls: { get: 'https://api.replicate.com/v1/files/a' }, expires_at: null };
const SECRET = { key: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' };
const PROBLEM = { title: 'No', detail: 'Your prompt was flagged', status: 422, retry_after: 5 };

/** Statuses that prove that nothing was created: the request was refused. */
const PROOFS = new Set([400, 401, 402, 403, 404, 405, 413, 415, 422, 429, 451]);

interface Answer {
  /** Null: the body is all that is sent, as bytes on the socket. */
  status: number | null;
  headers: Record<string, string>;
  body: Uint8Array;
  ends: 'whole' | 'cut' | 'reset' | 'silence' | 'gzip' | 'false gzip' | 'long';
}

const body = fc.oneof(
  ...[PREDICTION, LIST, MODEL, FILE, SECRET, PROBLEM].map((good) => mutated(good, 3)),
  anyJson,
  fc.constant('{"id":"a","id":7,"status":"starting","status":null}'),
  oddText,
);

const header = fc.constantFrom(
  ...['retry-after', 'date', 'age', 'location', 'content-type', 'x-odd', 'set-cookie'],
);
const headerValue = fc.oneof(
  fc.constantFrom('-1', '1e9', '99999999999999999999', 'Mon, 01 Jan 2029 10:00:00 GMT', '/x', ' '),
  fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
);

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(200, 201, 202, 400, 403, 404, 422, 429, 500, 503) },
    { weight: 2, arbitrary: fc.integer({ min: 200, max: 599 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  headers: fc.dictionary(header, headerValue, { maxKeys: 3 }),
  body: fc.oneof(
    { weight: 5, arbitrary: body.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ maxLength: 60 })
        .map((bytes) => Buffer.concat([Buffer.from('HTTP/1.1 201 '), bytes])),
    },
  ),
  ends: fc.oneof(
    { weight: 12, arbitrary: fc.constant('whole' as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'cut' as const,
        'reset' as const,
        'gzip' as const,
        'false gzip' as const,
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('silence' as const, 'long' as const) },
  ),
});

function send(socket: Socket, { status, headers, body: bytes, ends }: Answer): void {
  if (status === null) {
    socket.end(bytes);
    return;
  }
  if (ends === 'silence') return;
  if (ends === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  const sent =
    ends === 'gzip' ? gzipSync(bytes) : ends === 'long' ? Buffer.alloc(2 ** 16, 0x20) : bytes;
  const length = ends === 'cut' ? sent.length + 7 : ends === 'long' ? 2 ** 40 : sent.length;
  const encoding = ends.endsWith('gzip') ? ['content-encoding: gzip'] : [];
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `HTTP/1.1 ${String(status)} X`,
    `content-length: ${String(length)}`,
    'connection: close',
  ];
  socket.write(Buffer.from(`${[...head, ...encoding, ...fields].join('\r\n')}\r\n\r\n`, 'latin1'));
  if (ends === 'long') {
    const more = (): void => {
      while (!socket.destroyed && socket.write(sent));
    };
    socket.on('drain', more);
    more();
    return;
  }
  socket.end(sent);
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Would a reader take it for a prediction? */
function looksCreated(text: string): boolean {
  try {
    const value = JSON.parse(text) as { id?: unknown; status?: unknown } | null;
    return typeof value?.id === 'string' && typeof value.status === 'string';
  } catch {
    return false;
  }
}

const CALLS: Readonly<
  Record<string, (replicate: Replicate, base: string) => Promise<{ type: string }>>
> = {
  get: (replicate) => replicate.get('abc'),
  cancel: (replicate) => replicate.cancel('abc'),
  page: (replicate) => replicate.page({ after: Date.UTC(2026, 10, 22, 9), before: null }),
  latestVersion: (replicate) => replicate.latestVersion('owner/name'),
  webhookSecret: (replicate) => replicate.webhookSecret(),
  upload: (_replicate, base_url) =>
    createReplicateFiles({ token: TOKEN, base_url, timeout: 1_000 }).upload({
      name: 'a.jpg',
      content_type: 'image/jpeg',
      bytes: new Uint8Array(3),
    }),
};

export const providerAnswers: Fuzzer = {
  name: 'answer of the provider',
  runs: 300,
  async open() {
    let next: Answer | null = null;
    let asked = 0;
    const server = createServer();
    server.on('connection', (socket) => socket.on('error', () => undefined));
    server.on('request', (request) => {
      asked += 1;
      const { socket } = request;
      request.resume().on('end', () => {
        if (next !== null) send(socket, next);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base_url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`;
    return {
      property: propertyOf(
        fc.tuple(answer, fc.constantFrom('create', ...Object.keys(CALLS))),
        async ([given, verb]) => {
          next = given;
          asked = 0;
          const timeout = given.ends === 'silence' ? 20 : 5_000;
          const replicate = createReplicate({ token: TOKEN, base_url, timeout });
          const call = CALLS[verb];
          const outcome = await (call === undefined
            ? replicate.create({
                model: 'owner/name',
                version: null,
                input: {},
                cancel_after: 60,
                webhook: null,
              })
            : call(replicate, base_url));
          if (given.ends === 'silence' || given.ends === 'long') server.closeAllConnections();
          expect(asked).toBeLessThanOrEqual(1);
          const said = JSON.stringify(outcome);
          expect(said).not.toContain(TOKEN);
          if ('message' in outcome) expect(String(outcome.message).length).toBeLessThan(2_000);
          expect(Object.keys(Object.prototype)).toEqual([]);
          if (call !== undefined) return;
          const isRefusal = outcome.type === 'rejected' || outcome.type === 'throttled';
          if (isRefusal && given.status !== null) {
            expect(PROOFS).toContain(given.status);
            expect(['whole', 'gzip']).toContain(given.ends);
            expect(looksCreated(textOf(given.body))).toBe(false);
          }
          if (outcome.type === 'created') expect(said).toMatch(/"id":"[\w-]{1,100}"/);
        },
      ),
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};
