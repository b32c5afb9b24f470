import { createHmac } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { SecretOutcome } from '../../../src/adapters/replicate/replicate-client.js';
import { createWebhookCheck } from '../../../src/api/routes/webhook-check.js';
import { harness, SECRET } from '../harness.js';

const secretOf = (word: string): string =>
  `whsec_${Buffer.from(`${word} is the secret`).toString('base64')}`;

function signed(body: string, secret = SECRET, at = Date.now()) {
  const id = 'msg_1';
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    method: 'POST' as const,
    url: '/webhooks/replicate',
    payload: body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${mac}`,
    },
  };
}

const prediction = (id: unknown): string => JSON.stringify({ id, status: 'succeeded' });

describe('POST /webhooks/replicate', () => {
  it('passes the prediction of an authentic webhook on, as often as it comes, and needs no API key', async () => {
    const hintPoll = vi.fn(async () => undefined);
    const { app } = await harness({ api_keys: ['a-key-of-sixteen'] }, { hintPoll });
    const webhook = signed(prediction('abc123'));
    for (let times = 0; times < 3; times += 1) {
      const answer = await app.inject(webhook);
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
    }
    expect(hintPoll.mock.calls).toEqual([['abc123'], ['abc123'], ['abc123']]);
  });

  it('checks the bytes as they came, with any content type', async () => {
    const hintPoll = vi.fn(async () => undefined);
    const { app } = await harness({}, { hintPoll });
    const odd = '{ "id" : "abc123",\n "__proto__": {}, "note": "\\u00e4 ä" }';
    for (const type of ['application/json', 'application/json; charset=utf-8', 'text/plain']) {
      const webhook = signed(odd);
      const headers = { ...webhook.headers, 'content-type': type };
      expect((await app.inject({ ...webhook, headers })).statusCode).toBe(204);
    }
    expect(hintPoll).toHaveBeenCalledTimes(3);
  });

  it.each([
    ['a path', prediction('../../etc/passwd')],
    ['dots', prediction('..')],
    ['a number', prediction(7)],
    ['nothing', '{}'],
    ['no object', 'null'],
    ['no JSON', 'hello'],
  ])('takes an authentic webhook that names %s, and passes on no hint', async (_name, body) => {
    const hintPoll = vi.fn(async () => undefined);
    const { app } = await harness({}, { hintPoll });
    expect((await app.inject(signed(body))).statusCode).toBe(204);
    expect(hintPoll).not.toHaveBeenCalled();
  });

  it('answers 401 to what the account has not signed, and passes on no hint', async () => {
    const hintPoll = vi.fn(async () => undefined);
    const { app } = await harness({}, { hintPoll });
    const good = signed(prediction('abc'));
    const bad = [
      { ...good, payload: prediction('abd') },
      { ...good, headers: { 'content-type': 'application/json' } },
      signed(prediction('abc'), secretOf('another')),
      signed(prediction('abc'), SECRET, Date.now() - 301_000),
    ];
    for (const request of bad) {
      const answer = await app.inject(request);
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([
        401,
        'application/problem+json; charset=utf-8',
      ]);
    }
    expect(hintPoll).not.toHaveBeenCalled();
  });

  it('refuses a body above 1 MiB', async () => {
    const { app } = await harness();
    const large = JSON.stringify({ id: 'abc', logs: 'x'.repeat(1024 * 1024) });
    expect((await app.inject(signed(large))).statusCode).toBe(413);
  });

  it('says 503 while the secret cannot be had, so that the provider tries again', async () => {
    const unreadable: SecretOutcome = { type: 'unreadable', message: 'HTTP 500' };
    const { app } = await harness({}, { webhookSecret: async () => unreadable });
    const answer = await app.inject(signed(prediction('abc')));
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5']);
  });

  it('answers well although the hint could not be passed on', async () => {
    const hintPoll = () => Promise.reject(new Error('disk full'));
    const { app } = await harness({}, { hintPoll });
    expect((await app.inject(signed(prediction('abc')))).statusCode).toBe(204);
  });

  it('takes nothing but POST', async () => {
    const { app } = await harness();
    const answer = await app.inject({ method: 'GET', url: '/webhooks/replicate' });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'POST']);
  });
});

describe('the secret', () => {
  const START = Date.parse('2026-01-01T00:00:00Z');

  /** A provider with a secret that can be changed, a clock, and what has been asked. */
  function setup(first: SecretOutcome) {
    const state = { outcome: first, now: START, asked: 0 };
    const check = createWebhookCheck(
      async () => {
        state.asked += 1;
        return state.outcome;
      },
      () => state.now,
    );
    const judge = (word: string) => {
      const { payload, headers } = signed(prediction('abc'), secretOf(word), state.now);
      return check({
        id: headers['webhook-id'],
        timestamp: headers['webhook-timestamp'],
        signature: headers['webhook-signature'],
        body: payload,
      });
    };
    return { state, judge, check };
  }
  const found = (word: string): SecretOutcome => ({ type: 'found', secret: secretOf(word) });

  it('is asked for once, also by many at once', async () => {
    const { state, judge } = setup(found('first'));
    const verdicts = await Promise.all([judge('first'), judge('first'), judge('first')]);
    expect(verdicts).toEqual(['authentic', 'authentic', 'authentic']);
    expect(await judge('first')).toBe('authentic');
    expect(state.asked).toBe(1);
  });

  it('is asked for again when a signature does not match: it may have been rotated', async () => {
    const { state, judge } = setup(found('first'));
    await judge('first');
    state.outcome = found('second');
    state.now += 60_000;
    expect(await judge('second')).toBe('authentic');
    expect(await judge('first')).toBe('forged');
    expect(state.asked).toBe(2);
  });

  it('is not asked for by a flood of forgeries, nor ever by one without a time', async () => {
    const { state, judge, check } = setup(found('first'));
    for (let times = 0; times < 50; times += 1) expect(await judge('none')).toBe('forged');
    expect(state.asked).toBe(1);
    state.now += 60_000;
    const bare = { id: 'a', timestamp: undefined, signature: 'v1,abc', body: '' };
    expect(await check(bare)).toBe('forged');
    expect(state.asked).toBe(1);
  });

  it('stays good when it cannot be had a second time', async () => {
    const { state, judge } = setup(found('first'));
    await judge('first');
    state.outcome = { type: 'unreadable', message: 'HTTP 500' };
    state.now += 60_000;
    expect(await judge('none')).toBe('forged');
    expect(await judge('first')).toBe('authentic');
  });

  it('tells the time of the provider too, by which webhooks are signed and judged', async () => {
    const HOUR = 3_600_000;
    const clock = { ahead: 0, error: Infinity };
    const ask = (): Promise<SecretOutcome> => {
      Object.assign(clock, { ahead: HOUR, error: 2_000 });
      return Promise.resolve(found('first'));
    };
    const check = createWebhookCheck(ask, () => START, clock);
    const signedAt = (moment: number) => {
      const { payload, headers } = signed(prediction('abc'), secretOf('first'), moment);
      return check({
        id: headers['webhook-id'],
        timestamp: headers['webhook-timestamp'],
        signature: headers['webhook-signature'],
        body: payload,
      });
    };
    expect(await signedAt(START)).toBe('forged');
    expect(await signedAt(START + HOUR)).toBe('authentic');
    expect(await signedAt(START + 2 * HOUR)).toBe('forged');
  });

  it('that could not be had is asked for again later', async () => {
    const { state, judge } = setup({ type: 'unreadable', message: 'HTTP 500' });
    expect(await judge('first')).toBe('unknown');
    state.outcome = found('first');
    state.now += 10_000;
    expect(await judge('first')).toBe('authentic');
  });
});
