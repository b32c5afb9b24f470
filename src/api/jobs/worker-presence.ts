/** Does any worker take clips to render? Requests within a few seconds share one answer. */
import type { Jobs } from './jobs-port.js';

/** Null while Temporal does not answer. */
export type HasRenderWorkers = () => Promise<boolean | null>;

const MAX_AGE_MS = 5_000;

export function createRenderWorkerCheck(jobs: Pick<Jobs, 'renderWorkers'>): HasRenderWorkers {
  let answer: Promise<boolean | null> = Promise.resolve(null);
  let at = -Infinity;
  return () => {
    if (Date.now() - at < MAX_AGE_MS) return answer;
    at = Date.now();
    answer = jobs.renderWorkers().then(
      (count) => count > 0,
      () => null,
    );
    return answer;
  };
}
