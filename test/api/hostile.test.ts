/** The heaviest that clients can ask for, by many at once: the process stays of use to everyone else. */
import { describe, expect, it } from 'vitest';
import { estimating, type MakeEstimate } from '../../src/api/jobs/estimating.js';
import { LIMITS } from '../../src/api/load/limits.js';
import { eventually } from '../support/eventually.js';
import { openRequest, type OpenRequest } from '../support/raw-request.js';
import { harness } from './harness.js';
import { CONTEXT } from '../support/checked-plans.js';
import { planWith } from '../support/plans.js';

const MIB = 1024 * 1024;
const HOST = 'Host: 127.0.0.1';
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
const filled = (before: string, item: (place: number) => string, after: string): string => {
  const count = Math.floor((MIB - before.length - after.length) / (item(100_000).length + 1));
  return `${before}${Array.from({ length: count }, (_, place) => item(place)).join(',')}${after}`;
};

const thousand = planWith(1_000);
const CLIP = '{"clip_index":0,"prompt":"a","duration":5}';

/** Each of 1 MiB or a thousand clips. */
const BODIES: [name: string, body: string][] = [
  ['a plan of a thousand clips', JSON.stringify(thousand)],
  [
    'a plan of a thousand lengths and seeds',
    JSON.stringify({
      clip_prompts: thousand.clip_prompts.map((clip, seed) => ({
        ...clip,
        seed,
        duration: 1 + seed / 25,
        scene_reference_url: `https://images.example/${String(seed)}.png`,
      })),
    }),
  ],
  ['a nest of lists', '['.repeat(MIB / 2) + ']'.repeat(MIB / 2)],
  ['a nest of objects', '{"a":'.repeat(150_000) + '1' + '}'.repeat(150_000)],
  ['a list without an end', '['.repeat(MIB)],
  ['text that is no JSON', 'x'.repeat(MIB)],
  ['a hundred thousand fields', filled('{', (place) => `"k${String(place)}":1`, '}')],
  [
    'a hundred thousand fields of a clip',
    filled(`{"clip_prompts":[${CLIP.slice(0, -1)},`, (place) => `"k${String(place)}":1`, '}]}'),
  ],
  [
    'a hundred thousand settings',
    filled(`{"clip_prompts":[${CLIP}],"settings":{`, (place) => `"k${String(place)}":1`, '}}'),
  ],
  ['clips without end', filled('{"clip_prompts":[', () => '{}', ']}')],
  ['a prototype', filled('{', (place) => `"p${String(place)}":1`, ',"__proto__":{"a":1}}')],
  ['a number without end', `{"clip_prompts":[${'9'.repeat(MIB - 100)}]}`],
];

/** Counts how many are in progress, and the most that were. */
function counting() {
  const count = { now: 0, most: 0, begun: 0 };
  return {
    count,
    around: async <T>(work: () => Promise<T>): Promise<T> => {
      count.now += 1;
      count.begun += 1;
      count.most = Math.max(count.most, count.now);
      try {
        return await work();
      } finally {
        count.now -= 1;
      }
    },
  };
}

describe('while fifty clients send the heaviest that there is', () => {
  it('health and a cancel are answered before the flood is, never more is in progress than may be, and each is answered', async () => {
    const plans = counting();
    const lists = counting();
    const real = estimating(CONTEXT);
    const estimate: MakeEstimate = (...given) => plans.around(() => real(...given));
    const { url, jobs } = await harness({ log_level: 'fatal' }, { estimate });
    const list = jobs.listRunning.bind(jobs);
    jobs.listRunning = (...given) => lists.around(() => list(...given));
    jobs.add('honest');
    jobs.add('large', 1_000);
    const kinds = [
      ...BODIES.map(([, body]) => post('/v1/jobs/estimate', body)),
      ...BODIES.map(([, body]) => post('/v1/jobs', body)),
      get('/v1/jobs?limit=100&status=running'),
      get('/v1/jobs?limit=100'),
      get('/v1/jobs/large'),
    ];
    const flood = Array.from({ length: 50 }, (_, client) =>
      openRequest(url, kinds[client % kinds.length] ?? ''),
    );
    let answered = 0;
    const statuses = flood.map(async (request) => {
      const { status } = await request.answer(({ headers, body }) => isWhole(headers, body));
      answered += 1;
      request.socket.destroy();
      return status;
    });
    const asked: OpenRequest[] = [];
    const seen: { status: number; before: number }[] = [];
    const honest = async (text: string): Promise<void> => {
      const request = openRequest(url, text);
      asked.push(request);
      const { status } = await request.answer(() => true);
      seen.push({ status, before: flood.length - answered });
      request.socket.destroy();
    };
    await honest(get('/healthz'));
    await honest(get('/readyz'));
    await honest(post('/v1/jobs/honest/cancel', ''));
    expect(seen.map(({ status }) => status)).toEqual([200, 200, 202]);
    expect(seen.filter(({ before }) => before > 0)).toHaveLength(3);
    expect(jobs.latest('honest').run.is_canceling).toBe(true);
    const all = await Promise.all(statuses);
    expect(all.filter((status) => ![200, 202, 400, 413, 503].includes(status))).toEqual([]);
    expect(plans.count.begun).toBeGreaterThan(0);
    expect(plans.count.most).toBeLessThanOrEqual(LIMITS.gates.plans.at_once);
    expect(lists.count.most).toBeLessThanOrEqual(LIMITS.gates.lists.at_once);
  });

  it.each(BODIES.slice(2))('%s is refused in words', async (_name, body) => {
    const { app } = await harness();
    for (const url of ['/v1/jobs', '/v1/jobs/estimate']) {
      const answer = await app.inject({
        method: 'POST',
        url,
        payload: body,
        headers: { 'content-type': 'application/json' },
      });
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([
        400,
        'application/problem+json; charset=utf-8',
      ]);
      expect(answer.body.length).toBeLessThan(64 * 1024);
    }
  });
});

describe('a request whose client has disconnected', () => {
  it('is worked on no further, and never begun while it waits', async () => {
    const { count, around } = counting();
    const endless: MakeEstimate = (_plan, _resolved, { turn, throwIfAbandoned }) =>
      around(async () => {
        for (;;) {
          await turn();
          throwIfAbandoned();
        }
      });
    const gates = { ...LIMITS.gates, plans: { at_once: 1, waiting: 8 } };
    const { url, app } = await harness({ limits: { gates } }, { estimate: endless });
    const body = JSON.stringify(planWith(3));
    const first = openRequest(url, post('/v1/jobs/estimate', body));
    await eventually('one in progress', async () => ({ done: count.now === 1, value: count }));
    const waiting = Array.from({ length: 9 }, () =>
      openRequest(url, post('/v1/jobs/estimate', body)),
    );
    // Eight wait; the ninth is refused.
    const refused = await Promise.any(waiting.map((request) => request.answer(() => true)));
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    for (const { socket } of waiting) socket.destroy();
    await eventually('nothing left but the first', async () => {
      const count = await new Promise<number>((resolve) => {
        app.server.getConnections((_error, connections) => {
          resolve(connections);
        });
      });
      return { done: count === 1, value: count };
    });
    first.socket.destroy();
    await eventually('nothing in progress', async () => ({ done: count.now === 0, value: count }));
    const last = openRequest(url, post('/v1/jobs/estimate', body));
    await eventually('the next at once', async () => ({ done: count.now === 1, value: count }));
    expect(count).toEqual({ now: 1, most: 1, begun: 2 });
    last.socket.destroy();
  });
});

function isWhole(headers: Record<string, string>, body: string): boolean {
  const length = headers['content-length'];
  return length === undefined ? body.endsWith('0\r\n\r\n') : body.length >= Number(length);
}
