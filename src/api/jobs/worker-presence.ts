/** Does any worker take clips to render now? One look for all who ask within a few seconds. */
import type { Jobs } from './jobs-port.js';

/** Null while Temporal cannot tell. */
export type AreRendered = () => Promise<boolean | null>;

const MAX_AGE = 5_000;

export function createAreRendered(jobs: Pick<Jobs, 'renderers'>): AreRendered {
  let answer: Promise<boolean | null> = Promise.resolve(null);
  let at = -Infinity;
  return () => {
    if (Date.now() - at < MAX_AGE) return answer;
    at = Date.now();
    answer = jobs.renderers().then(
      (count) => count > 0,
      () => null,
    );
    return answer;
  };
}
