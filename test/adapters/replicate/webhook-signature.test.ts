import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { isAuthentic } from '../../../src/adapters/replicate/webhook-signature.js';
import type { SignedWebhook } from '../../../src/adapters/replicate/webhook-signature.js';

vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

const key = Buffer.from('a key of some bytes \u0000\u00ff', 'latin1');
const SECRET = `whsec_${key.toString('base64')}`;
const NOW = Date.parse('2026-03-04T05:06:07Z');
const BODY = '{"id":"abc","status":"succeeded"}';
const seconds = (offset: number): string => String(Math.floor(NOW / 1000) + offset);

const mac = (id: string, timestamp: string, body: string, secret: Buffer = key): string =>
  createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');

/** Signed as Replicate signs, and then changed. */
const webhook = (change: Partial<SignedWebhook> = {}): SignedWebhook => ({
  id: 'msg_1',
  timestamp: seconds(0),
  signature: `v1,${mac('msg_1', seconds(0), BODY)}`,
  body: BODY,
  ...change,
});

const at = (offset: number): SignedWebhook =>
  webhook({
    timestamp: seconds(offset),
    signature: `v1,${mac('msg_1', seconds(offset), BODY)}`,
  });

describe('a webhook', () => {
  it('is authentic when id, time and bytes are what was signed', () => {
    expect(isAuthentic(webhook(), SECRET, NOW)).toBe(true);
    expect(isAuthentic(webhook({ body: Buffer.from(BODY) }), SECRET, NOW)).toBe(true);
  });

  it('follows the published example of the signature scheme', () => {
    // Standard Webhooks, the specification Replicate's scheme comes from: its own test vector.
    const example: SignedWebhook = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      body: '{"test": 2432232314}',
    };
    const now = 1_614_265_330_000;
    expect(isAuthentic(example, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', now)).toBe(true);
  });

  it.each([
    [-300, true],
    [300, true],
    [-301, false],
    [301, false],
    [-86_400, false],
  ])('signed %d s from now is authentic: %s', (offset, expected) => {
    expect(isAuthentic(at(offset), SECRET, NOW)).toBe(expected);
  });

  it('may carry several signatures, of which one has to match', () => {
    const good = `v1,${mac('msg_1', seconds(0), BODY)}`;
    const old = `v1,${mac('msg_1', seconds(0), BODY, Buffer.from('the key before'))}`;
    const sign = (signature: string) => isAuthentic(webhook({ signature }), SECRET, NOW);
    expect(sign(`${old} ${good}`)).toBe(true);
    expect(sign(`v1a,xyz ${good} ${old}`)).toBe(true);
    expect(sign(old)).toBe(false);
  });

  it.each<[string, Partial<SignedWebhook>]>([
    ['another body', { body: BODY.replace('abc', 'abd') }],
    ['the same JSON in other bytes', { body: `${BODY}\n` }],
    ['another id', { id: 'msg_2' }],
    ['another time', { timestamp: seconds(1) }],
    ['another version', { signature: `v2,${mac('msg_1', seconds(0), BODY)}` }],
    ['no version', { signature: mac('msg_1', seconds(0), BODY) }],
    ['half a signature', { signature: `v1,${mac('msg_1', seconds(0), BODY).slice(0, 20)}` }],
    ['too much of one', { signature: `v1,${mac('msg_1', seconds(0), BODY).slice(0, -1)}AAAA` }],
    ['an empty one', { signature: 'v1,' }],
    ['garbage', { signature: '%% ,, v1 \u0000,' }],
    ['no signature', { signature: undefined }],
    ['no id', { id: undefined }],
    ['no time', { timestamp: undefined }],
    ['a time that is none', { timestamp: 'now' }],
    ['a time with a fraction', { timestamp: `${seconds(0)}.0` }],
    ['an endless time', { timestamp: '9'.repeat(400) }],
  ])('is refused with %s', (_name, change) => {
    expect(isAuthentic(webhook(change), SECRET, NOW)).toBe(false);
  });

  it('is refused with the wrong key, and with an empty one', () => {
    expect(isAuthentic(webhook(), `whsec_${Buffer.from('x').toString('base64')}`, NOW)).toBe(false);
    const signature = `v1,${mac('msg_1', seconds(0), BODY, Buffer.alloc(0))}`;
    expect(isAuthentic(webhook({ signature }), 'whsec_', NOW)).toBe(false);
    expect(isAuthentic(webhook({ signature }), '', NOW)).toBe(false);
  });

  it('is compared in constant time, wherever it differs', () => {
    const good = Buffer.from(mac('msg_1', seconds(0), BODY), 'base64');
    vi.mocked(timingSafeEqual).mockClear();
    for (let place = 0; place < good.length; place += 1) {
      const bad = Buffer.from(good);
      bad[place] = (bad[place] ?? 0) ^ 1;
      const signature = `v1,${bad.toString('base64')}`;
      expect(isAuthentic(webhook({ signature }), SECRET, NOW), String(place)).toBe(false);
    }
    expect(timingSafeEqual).toHaveBeenCalledTimes(good.length);
  });
});
