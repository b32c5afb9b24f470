/**
 * Every pause, time limit (in milliseconds) and number of tries inside activities. Elsewhere are the
 * pauses between the attempts of a clip (domain/job/retry-policy.ts), the time-outs of activities (contract/timings.ts), and how
 * often a render is read (adapters/replicate/reading-interval.ts).
 */

export const WAITS = {
  /** Between two heartbeats. */
  heartbeat: 1_000,
  /** Before the first heartbeat of the paid activity, at most (EXECUTION-1); a create is answered within it as a rule. */
  first_heartbeat: 2_000,
  /** How long before its time-out an execution hands back (EXECUTION-3): a create that is sent at the last moment may take as long. */
  hand_back: 10_000,
  /** Until the workflow is told that the provider could be asked, unless another signal has said so. */
  asked_signal: 3_000,
  /** A signal that did not reach the workflow. */
  signal: { tries: 3, pause: 500 },
  /** A query that the workflow did not answer. */
  query: { tries: Infinity, pause: 1_000 },
  /** The longest backoff that an execution waits out itself: more than a provider is likely to ask for. */
  backoff: 90_000,
  /**
   * "Nothing was created" is believed after `watch`: longer than a create whose answer is lost may take, and longer
   * than the list lags behind accepted creates.
   */
  search: { watch: 12_000, pause: 1_000 },
  /** A page of the list in which a late duplicate may be. */
  late_duplicate: { tries: 5, pause: 1_000 },
  /** A success without an output: it may have been read a moment too early. */
  empty_success: { tries: 5, pause: 1_000 },
  /** Until the provider has confirmed that a prediction is over. */
  cancel: { within: 8_000, pause: 250 },
  /** Until another worker may take a job whose DATA_DIR this one does not have. */
  other_store: 5_000,
  /** Between attempts at a create that could not be written down, since a bucket does not answer: three last longer than a short outage. */
  store_trouble: 60_000,
  /** A disk in trouble: 1 s, 2 s, 4 s … A look at it is cheap, so it is tried more often than the provider. */
  disk: { first: 1_000, longest: 60_000 },
} as const;

interface Patience {
  tries: number;
  pause: number;
}

interface Waiting {
  wait: (milliseconds: number) => Promise<unknown>;
  /** No further try once it is true. */
  isOver?: () => boolean;
}

/** The first answer of `work` that is not null; null when there was none in all the tries. */
export async function firstAnswer<T>(
  { tries, pause }: Patience,
  { wait, isOver = () => false }: Waiting,
  work: () => Promise<T | null>,
): Promise<T | null> {
  for (let left = tries; left > 0 && !isOver(); left--) {
    const answer = await work();
    if (answer !== null) return answer;
    if (left > 1) await wait(pause);
  }
  return null;
}

/** Milliseconds until the provider is asked again: what it asks for, and `least` where it asks for less. */
export const pauseAfter = (answer: { type: string; retry_after?: number }, least: number): number =>
  Math.max(least, (answer.retry_after ?? 0) * 1000);
