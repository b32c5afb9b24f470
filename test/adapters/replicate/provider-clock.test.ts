/** The provider's clock as its answers tell it: exact within a second or so, and moved by nothing that is not one. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MeasuredClock } from '../../../src/adapters/replicate/provider-clock.js';

afterEach(() => vi.restoreAllMocks());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 5, 1, 12);

/** Three clocks that a test moves: this machine's, its monotonic one, and the provider's, which is `ahead`. */
function world(ahead: number) {
  const state = { own: START, monotonic: 1_000, ahead };
  vi.spyOn(Date, 'now').mockImplementation(() => state.own);
  vi.spyOn(performance, 'now').mockImplementation(() => state.monotonic);
  const pass = (milliseconds: number): void => {
    state.own += milliseconds;
    state.monotonic += milliseconds;
  };
  const clock = new MeasuredClock();
  return {
    clock,
    state,
    pass,
    /** An answer whose `Date` was written `there` after the question, and which came `back` after that. */
    answer: (
      there: number,
      back: number,
      change: { date?: string | null; age?: string } = {},
    ): void => {
      const asked = state.monotonic;
      pass(there);
      const date = new Date(state.own + state.ahead).toUTCString();
      pass(back);
      clock.hear({ date, age: null, asked, answered: state.monotonic, ...change });
    },
    get off(): number {
      return Math.abs(clock.now() - (state.own + state.ahead));
    },
  };
}

const aheads = fc.integer({ min: -400 * 24 * HOUR, max: 400 * 24 * HOUR });
const travels = fc.integer({ min: 0, max: 9_000 });
const answers = fc.array(fc.tuple(travels, travels, fc.integer({ min: 0, max: 5_000 })), {
  minLength: 1,
  maxLength: 20,
});

describe('the time of the provider', () => {
  it('is told within the error it claims, however far the clocks are apart and however slow answers are', () => {
    fc.assert(
      fc.property(aheads, answers, (ahead, all) => {
        const { clock, answer, pass, ...rest } = world(ahead);
        for (const [there, back, pause] of all) {
          answer(there, back);
          expect(Math.abs(clock.now() - (rest.state.own + ahead))).toBeLessThanOrEqual(clock.error);
          pass(pause);
        }
      }),
    );
  });

  it.each([-70, -10, 10, 70])(
    'is known to two seconds after one quick answer, %i minutes off',
    (minutes) => {
      const there = world(minutes * MINUTE);
      there.answer(20, 20);
      expect(there.off).toBeLessThanOrEqual(2_000);
    },
  );

  it('is exactly ours where the clocks may agree', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 1_000 }), answers, (ahead, all) => {
        const { clock, answer, pass } = world(ahead);
        for (const [there, back, pause] of all) {
          answer(there, back);
          expect(clock.ahead).toBe(0);
          pass(pause);
        }
      }),
    );
  });

  it('is unknown, and taken for ours, until an answer says it', () => {
    const { clock } = world(HOUR);
    expect([clock.ahead, clock.error]).toEqual([0, Infinity]);
  });
});

describe('what is not a time', () => {
  const useless = [
    null,
    '',
    'soon',
    '0',
    '17',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    '2026-06-01T12:00:00Z',
    '[object Object]',
  ];
  it.each(useless)('changes nothing: %s', (date) => {
    const there = world(HOUR);
    there.answer(1, 1, { date });
    expect(there.clock.error).toBe(Infinity);
    there.answer(10, 10);
    const { error } = there.clock;
    for (let times = 0; times < 3; times += 1) there.answer(1, 1, { date });
    expect(there.clock.error).toBe(error);
    expect(there.off).toBeLessThanOrEqual(2_000);
  });

  it('may be any text, or what a cache has kept', () => {
    fc.assert(
      fc.property(fc.string(), (date) => {
        const { clock, answer } = world(HOUR);
        answer(5, 5);
        const before = clock.ahead;
        answer(1, 1, { date: 'Mon, 01 Jun 2026 00:00:00 GMT', age: '300' });
        answer(1, 1, { date: fc.stringify(date) });
        expect(clock.ahead).toBe(before);
      }),
    );
  });
});

describe('a contradiction', () => {
  it('of one answer is not believed, and of two it is', () => {
    const there = world(10 * MINUTE);
    there.answer(5, 5);
    there.state.ahead = 50 * MINUTE;
    there.answer(5, 5);
    expect(there.clock.ahead).toBeLessThan(11 * MINUTE);
    there.answer(5, 5);
    expect(there.off).toBeLessThanOrEqual(2_000);
  });

  it('that comes after this machine slept, or was set, is believed at once, and nothing is known before', () => {
    for (const jump of [3 * HOUR, -3 * HOUR]) {
      const there = world(HOUR);
      there.answer(5, 5);
      there.state.own += jump;
      // Set: the provider's clock did not move with ours.
      there.state.ahead -= jump;
      expect(there.clock.error).toBe(Infinity);
      there.answer(5, 5);
      expect(there.off).toBeLessThanOrEqual(2_000);
      expect(there.clock.error).toBeLessThan(5_000);
    }
  });
});
