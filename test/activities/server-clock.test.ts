/** Times of the workflow, of this machine and of the provider are never mixed, whichever of them is off. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { asServerTime, ServerClock, serverClock } from '../../src/activities/server-clock.js';

afterEach(() => vi.restoreAllMocks());

const START = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

function world(ahead: number) {
  const state = { own: START, monotonic: 500 };
  vi.spyOn(Date, 'now').mockImplementation(() => state.own);
  vi.spyOn(performance, 'now').mockImplementation(() => state.monotonic);
  return { state, server: () => START + ahead + (state.monotonic - 500) };
}

describe('the time of the Temporal server', () => {
  it('is never later than it is, and is exact once one activity was picked up at once', () => {
    const queued = fc.array(fc.integer({ min: 0, max: HOUR }), { maxLength: 10 });
    const apart = fc
      .integer({ min: 6_000, max: 100 * HOUR })
      .chain((by) => fc.constantFrom(by, -by));
    fc.assert(
      fc.property(apart, queued, (ahead, waits) => {
        const { state, server } = world(ahead);
        const clock = new ServerClock();
        for (const wait of waits) {
          clock.hear(server() - wait);
          state.own += 1_000;
          state.monotonic += 1_000;
          // Within what counts as agreement.
          expect(clock.now()).toBeLessThanOrEqual(server() + 5_000);
        }
        clock.hear(server());
        expect(clock.now()).toBe(server());
      }),
    );
  });

  it('is ours, to the millisecond, where the clocks agree', () => {
    const { server } = world(0);
    const clock = new ServerClock();
    clock.hear(server() - 3_000);
    expect(clock.ahead).toBe(0);
  });

  it('does not move when this machine is set to another time', () => {
    const { state, server } = world(HOUR);
    const clock = new ServerClock();
    clock.hear(server());
    state.own += 5 * HOUR;
    expect(clock.now()).toBe(server());
  });

  it('is not learned from what is no time', () => {
    world(0);
    const clock = new ServerClock();
    for (const moment of [0, 1, NaN]) clock.hear(moment);
    expect(clock.ahead).toBe(0);
  });
});

it('a time of the provider is the same text for the workflow where all clocks agree, and else moves by the difference', () => {
  const time = '2026-06-01T11:00:00.000Z';
  expect(asServerTime(time, { ahead: 0 })).toBe(time);
  expect(serverClock.ahead).toBe(0);
  expect(asServerTime(time, { ahead: HOUR })).toBe('2026-06-01T10:00:00.000Z');
  expect(asServerTime(time, { ahead: -HOUR })).toBe('2026-06-01T12:00:00.000Z');
});
