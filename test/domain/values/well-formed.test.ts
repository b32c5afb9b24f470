/** Texts come back from JSON and UTF-8 as they went. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/adapters/replicate/provider-answers.js';
import { canonicalJson } from '../../../src/domain/values/canonical-json.js';

import { beginningOf, shortened, wellFormed } from '../../../src/domain/values/well-formed.js';
import { anyText } from './any-text.js';

/** What a store of UTF-8 hands back: half pairs are U+FFFD there, however they were escaped. */
const stored = (value: unknown): unknown =>
  JSON.parse(new TextDecoder().decode(new TextEncoder().encode(unescaped(JSON.stringify(value)))));
/** As a JSON reader of another language: escapes become characters first. */
const unescaped = (json: string): string =>
  json.replaceAll(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (escape, unit: string | undefined) =>
    unit === undefined ? escape : String.fromCharCode(parseInt(unit, 16)),
  );

/** As JSON has it: no −0. */
const json = fc
  .jsonValue({ stringUnit: 'binary' })
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

describe('wellFormed', () => {
  it('makes any JSON value one that survives JSON and UTF-8', () => {
    const survives = (value: unknown): void => {
      expect(stored(wellFormed(value))).toEqual(wellFormed(value));
      expect(stored(value)).toEqual(wellFormed(value));
    };
    fc.assert(fc.property(json, survives));
    fc.assert(
      fc.property(anyText, (text) => {
        survives({ [text]: text });
      }),
      {
        examples: [
          ['\ud83d'],
          ['\udc00\ud800'],
          ['a\ud800\ud83d\ude00'],
          ['\u0000\ufffe\uffff'],
          ['\\ud800'],
        ],
      },
    );
  });

  it('changes a text like a store does, so that both compare equal', () => {
    fc.assert(
      fc.property(anyText, anyText, (key, text) => {
        const sent = { b: [text], [key]: { a: text } };
        expect(canonicalJson(stored(sent))).toBe(canonicalJson(sent));
      }),
    );
    expect(canonicalJson({ prompt: 'a' })).not.toBe(canonicalJson({ prompt: 'b' }));
  });

  it('gives what is read from a provider that sends half a pair', () => {
    expect(parseJson(String.raw`{"detail": "half \ud83d"}`)).toEqual({ detail: 'half \ufffd' });
  });
});

describe('a shortened text', () => {
  it('is never cut in the middle of a character', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 30 }), (any, most) => {
        const text = any.toWellFormed();
        for (const cut of [beginningOf(text, most), shortened(text, most)]) {
          expect(cut.isWellFormed()).toBe(true);
          expect(cut.length).toBeLessThanOrEqual(most);
        }
        expect(text.startsWith(beginningOf(text, most))).toBe(true);
      }),
    );
    expect(shortened('ab\u{1f600}', 4)).toBe('ab\u{1f600}');
    expect(shortened('ab\u{1f600}c', 4)).toBe('ab…');
  });
});
