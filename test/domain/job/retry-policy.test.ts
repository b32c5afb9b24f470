/** One table of attempts and pauses: what this program counts by, and what Temporal is told. */
import { describe, expect, it } from 'vitest';
import { initialClip } from '../../../src/domain/job/initial-job.js';
import { backoffSeconds, MAX_ATTEMPTS, PAID_RETRY } from '../../../src/domain/job/retry-policy.js';

/** The pause after the nth failure, as Temporal computes it. */
const pauseOfTemporal = (failures: number): number => {
  const { initialInterval, backoffCoefficient, maximumInterval } = PAID_RETRY;
  return Math.min(maximumInterval, initialInterval * backoffCoefficient ** (failures - 1));
};

describe('the pause between two attempts', () => {
  it('doubles from 2 s on, and never exceeds 30 s', () => {
    expect([1, 2, 3, 4, 5, 6, 50].map(backoffSeconds)).toEqual([2, 4, 8, 16, 30, 30, 30]);
  });

  it('is the one that Temporal makes between two executions of the paid activity', () => {
    for (const failures of [1, 2, 3, 4, 5, 50]) {
      expect(pauseOfTemporal(failures)).toBe(backoffSeconds(failures) * 1000);
    }
  });
});

describe('the number of attempts', () => {
  it('is the same for Temporal, and for what a clip shows', () => {
    expect(PAID_RETRY.maximumAttempts).toBe(MAX_ATTEMPTS);
    const clip = initialClip({} as Parameters<typeof initialClip>[0]);
    expect(clip.max_attempts).toBe(MAX_ATTEMPTS);
  });
});
