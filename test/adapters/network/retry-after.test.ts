/** How long an answer asks to wait: the first word that makes sense, wherever it stands. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf, retryAfter } from '../../../src/adapters/network/retry-after.js';

const NOW = Date.UTC(2026, 10, 28, 13, 0, 0);
/** Three hours from ours: only the answer's own clock may count. */
const THEIRS = NOW + 3 * 3_600_000;
const date = (milliseconds: number): string => new Date(milliseconds).toUTCString();

const seconds = (change: {
  body?: unknown;
  header?: string | null;
  text?: string;
  date?: string | null;
}) =>
  retryAfter(
    {
      body: change.body,
      text: change.text ?? '',
      retry_after: change.header ?? null,
      date: change.date === undefined ? date(THEIRS) : change.date,
    },
    NOW,
  );

describe('the wait', () => {
  const rows: [string, Parameters<typeof seconds>[0], number | null][] = [
    ['a number in the body', { body: 9, header: '3' }, 9],
    ['a numeric text in the body', { body: '9', header: '3' }, 9],
    ['a fraction, rounded up', { body: 1.2 }, 2],
    ['a fraction in a header, rounded up', { header: '0.3' }, 1],
    ['seconds in a header', { header: '7' }, 7],
    ['a header with its unit', { header: '7s' }, 7],
    ['a header that was sent twice', { header: '7, 9' }, 7],
    ['a date, by the clock of the answer', { header: date(THEIRS + 45_000) }, 45],
    ['a date of RFC 850', { header: 'Saturday, 28-Nov-26 16:00:30 GMT' }, 30],
    ['a date of asctime', { header: 'Sat Nov 28 16:00:30 2026' }, 30],
    [
      'a date without a header Date, by the known clock',
      { header: date(NOW + 20_000), date: null },
      20,
    ],
    ['words', { text: '{"detail":"Your rate limit resets in ~30s."}' }, 30],
    ['words with minutes', { text: 'Try again in 1.5 minutes' }, 90],
    ['a body of null and a header', { body: null, header: '7' }, 7],
    ['an empty body and a header', { body: '', header: '7' }, 7],
    ['a negative body and a header', { body: -1, header: '7' }, 7],
    ['no number and a header', { body: NaN, header: '7' }, 7],
    ['infinity and a header', { body: Infinity, header: '7' }, 7],
    ['an absurd number and a header', { body: 1e12, header: '7' }, 7],
    ['an object and a header', { body: { seconds: 3 }, header: '7' }, 7],
    ['a list and a header', { body: [3], header: '7' }, 7],
    ['true and a header', { body: true, header: '7' }, 7],
    ['a header that is no time and words', { header: 'soon', text: 'resets in ~8s' }, 8],
    ['an empty header and words', { header: '', text: 'resets in ~8s' }, 8],
    ['a date that is over and words', { header: date(THEIRS - 60_000), text: 'in ~8s' }, 8],
    ['nothing', {}, null],
    ['nothing that makes sense', { body: null, header: 'soon', text: 'slow down' }, null],
    ['zero, as the shortest', { header: '0' }, 1],
    ['an hour, as the longest that is waited', { header: '3600' }, 600],
  ];
  it.each(rows)('is read from %s', (_name, answer, expected) => {
    expect(seconds(answer)).toBe(expected);
  });

  const nonsense = fc.oneof(
    fc.constantFrom(null, undefined, '', ' ', 'soon', true, {}, [], [7], Infinity, NaN),
    fc.double({ max: -1e-9, noNaN: true }),
    fc.double({ min: 86_401, noNaN: true }),
  );
  it('of a valid header is never hidden by an invalid body of any form', () => {
    fc.assert(
      fc.property(
        nonsense,
        fc.integer({ min: 1, max: 600 }),
        fc.boolean(),
        (body, wait, isDate) => {
          const header = isDate ? date(THEIRS + wait * 1000) : String(wait);
          expect(seconds({ body, header })).toBe(wait);
        },
      ),
    );
  });

  it('is a whole number from 1 to 600, or none, for any answer', () => {
    fc.assert(
      fc.property(fc.anything(), fc.option(fc.string()), fc.string(), (body, header, text) => {
        const wait = seconds({ body, header, text });
        if (wait === null) return;
        expect(Number.isInteger(wait) && wait >= 1 && wait <= 600).toBe(true);
      }),
    );
  });

  it('by a date does not depend on the clock of this machine', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        (wait, shift) => {
          const theirs = NOW + shift - (shift % 1000);
          expect(seconds({ header: date(theirs + wait * 1000), date: date(theirs) })).toBe(wait);
        },
      ),
    );
  });
});

it('reads no time from texts that only resemble one', () => {
  for (const text of [null, '', '7', 'abc 5', '2026', '12:00:00', '2026-11-28']) {
    expect(instantOf(text), String(text)).toBeNull();
  }
});
