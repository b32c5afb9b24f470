/** What the provider stores of an input against what was sent: more, elsewhere, spelled otherwise, or another one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  driftsOf,
  fitOf,
  marksOf,
  providersHosts,
} from '../../../src/adapters/replicate/input-fingerprint.js';

const isProviders = providersHosts('https://api.replicate.com/v1');
const fit = (sent: Record<string, unknown>, stored: Record<string, unknown>) =>
  fitOf(marksOf(sent), marksOf(stored), isProviders);

const SENT = { prompt: 'A heron lands', duration: 5, start_image: 'https://a.example/heron.png' };
const DELIVERED = 'https://replicate.delivery/pbxt/abc/heron.png';
const UPLOADED = 'https://api.replicate.com/v1/files/one';

describe('what is stored fits what was sent', () => {
  it.each([
    ['the same', SENT, 'equal'],
    ['the same in another order', Object.fromEntries(Object.entries(SENT).reverse()), 'equal'],
    ['a field more', { ...SENT, generate_audio: true }, 'more'],
    ['a field more that says nothing', { ...SENT, end_image: null }, 'equal'],
    ['a number as a text', { ...SENT, duration: '5' }, 'equal'],
    ['other blanks', { ...SENT, prompt: ' A heron\n lands ' }, 'equal'],
    ['a file of its own', { ...SENT, start_image: DELIVERED }, 'rewritten'],
    ['a file of its own and more', { ...SENT, start_image: DELIVERED, seed: 3 }, 'rewritten'],
  ])('with %s', (_, stored, expected) => {
    expect(fit(SENT, stored)).toBe(expected);
  });

  it('with an upload, or an inline file, that it delivers from elsewhere', () => {
    const inline = 'data:image/png;base64,iVBORw0KGgo=';
    for (const start_image of [UPLOADED, inline]) {
      expect(fit({ ...SENT, start_image }, { ...SENT, start_image: DELIVERED })).toBe('rewritten');
    }
    const images = [UPLOADED, 'https://a.example/b.png'];
    expect(fit({ images }, { images: [DELIVERED, DELIVERED] })).toBe('rewritten');
  });
});

describe('what is stored is of another clip', () => {
  it.each([
    ['another prompt', { ...SENT, prompt: 'A heron leaves' }],
    ['another length', { ...SENT, duration: 10 }],
    ['without a field that was sent', { prompt: SENT.prompt, duration: 5 }],
    [
      'a file of another host that is not the provider',
      { ...SENT, start_image: 'https://b.example/heron.png' },
    ],
    ['another file of the same host', { ...SENT, start_image: 'https://a.example/stork.png' }],
    ['nothing', {}],
  ])('with %s', (_, stored) => {
    expect(fit(SENT, stored)).toBeNull();
  });

  it('with another upload, or fewer files', () => {
    const other = 'https://api.replicate.com/v1/files/two';
    expect(fit({ images: [UPLOADED] }, { images: [other] })).toBeNull();
    expect(fit({ images: [UPLOADED, UPLOADED] }, { images: [DELIVERED] })).toBeNull();
  });

  it('with any input, where nothing was sent', () => {
    expect(fit({}, {})).toBe('equal');
    expect(fit({}, { prompt: 'a' })).toBeNull();
  });
});

const texts = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.trim());
const values = fc.oneof(texts, fc.integer(), fc.boolean(), fc.webUrl());
const inputs = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), values, { minKeys: 1 });

it('finds any input again in what holds it, and none where one field differs', () => {
  fc.assert(
    fc.property(inputs, inputs, fc.nat(), (sent, more, at) => {
      expect(fit(sent, { ...more, ...sent })).not.toBeNull();
      const fields = Object.keys(sent);
      const field = fields[at % fields.length] ?? '';
      expect(fit(sent, { ...more, ...sent, [field]: 'another value altogether' })).toBeNull();
    }),
    { examples: [[{ prompt: 0 }, { toString: false }, 0]] },
  );
});

it('names each field that drifts', () => {
  const stored = { prompt: 'a', start_image: DELIVERED, seed: 1 };
  expect(driftsOf(marksOf(SENT), marksOf(stored), isProviders)).toEqual([
    ['prompt', 'changed'],
    ['duration', 'missing'],
    ['start_image', 'rewritten'],
    ['seed', 'added'],
  ]);
});
