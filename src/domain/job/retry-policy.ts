/**
 * How often a clip is tried, and the pauses between its attempts: the only place. The workflow and the paid activity count
 * attempts by it, and Temporal's retry policy of the paid activity is made of the same figures.
 */

/** A clip has at most three attempts; each is at most one paid prediction. */
export const MAX_ATTEMPTS = 3;

/** Seconds between two attempts: 2, 4, 8 … at most 30. */
const BACKOFF = { first: 2, factor: 2, longest: 30 } as const;

/** The pause after the nth failed attempt, in seconds. */
export const backoffSeconds = (failedAttempts: number): number =>
  Math.min(BACKOFF.longest, BACKOFF.first * BACKOFF.factor ** (failedAttempts - 1));

/** The same for executions of the paid activity, as Temporal's `RetryPolicy`. */
export const PAID_RETRY = {
  initialInterval: BACKOFF.first * 1000,
  backoffCoefficient: BACKOFF.factor,
  maximumInterval: BACKOFF.longest * 1000,
  maximumAttempts: MAX_ATTEMPTS,
} as const;
