import { describe, expect, it } from 'vitest';
import { nextChange, stateAt, type Course } from '../../src/simulator/lifecycle.js';

const course = (change: Partial<Course> = {}, plan: Partial<Course['plan']> = {}): Course => ({
  created_at: 0,
  deadline: null,
  cancel_at: null,
  released_at: null,
  ...change,
  plan: {
    queue: 10,
    run: 100,
    hold: null,
    outcome: { status: 'succeeded' },
    run_limit: 1000,
    ...plan,
  },
});

describe('the life of a prediction', () => {
  it.each([
    [9, 'starting'],
    [10, 'processing'],
    [109, 'processing'],
    [110, 'succeeded'],
    [1e9, 'succeeded'],
  ])('at %i ms it is %s', (now, status) => {
    expect(stateAt(course(), now).status).toBe(status);
  });

  it.each([
    ['a deadline in the queue aborts', course({ deadline: 5 }), 'aborted', 5],
    ['a deadline while running cancels', course({ deadline: 50 }), 'canceled', 50],
    ['a cancel in the queue aborts', course({ cancel_at: 5 }), 'aborted', 5],
    ['a cancel while running cancels', course({ cancel_at: 50 }), 'canceled', 50],
    ['a cancel after the end changes nothing', course({ cancel_at: 200 }), 'succeeded', 110],
    ['a cancel at the very end comes too late', course({ cancel_at: 110 }), 'succeeded', 110],
    ['the platform stops what runs too long', course({}, { run: null }), 'canceled', 1010],
    [
      'what never starts ends by its deadline',
      course({ deadline: 99 }, { queue: null }),
      'aborted',
      99,
    ],
    [
      'a failure has its time',
      course({}, { outcome: { status: 'failed', error: 'x' } }),
      'failed',
      110,
    ],
    [
      'an abort comes instead of the start',
      course({}, { outcome: { status: 'aborted' } }),
      'aborted',
      10,
    ],
    [
      'what is released continues',
      course({ released_at: 500 }, { hold: 'processing' }),
      'succeeded',
      500,
    ],
  ])('%s', (_name, given, status, ended_at) => {
    expect(stateAt(given, 1e9)).toMatchObject({ status, ended_at });
  });

  it('names the next moment of change, and none after the end', () => {
    expect(nextChange(course(), 0)).toBe(10);
    expect(nextChange(course(), 10)).toBe(110);
    expect(nextChange(course(), 110)).toBeNull();
    expect(nextChange(course({}, { queue: null }), 0)).toBeNull();
  });
});
