/** Does any worker take clips to render? Requests within a few seconds share one answer. */
import type { Jobs } from './jobs-port.js';

/** For jobs that are pinned to a release, or null: for new ones. Null while Temporal does not answer. */
export type HasRenderWorkers = (pinnedTo: string | null) => Promise<boolean | null>;

const MAX_AGE_MS = 5_000;

export function createRenderWorkerCheck(jobs: Pick<Jobs, 'renderWorkers'>): HasRenderWorkers {
  const known = new Map<string | null, { at: number; answer: Promise<boolean | null> }>();
  return (pinnedTo) => {
    const last = known.get(pinnedTo);
    if (last !== undefined && Date.now() - last.at < MAX_AGE_MS) return last.answer;
    // Releases that are asked for no more are forgotten.
    for (const [name, { at }] of known) if (Date.now() - at >= MAX_AGE_MS) known.delete(name);
    const answer = jobs.renderWorkers(pinnedTo).then(
      (count) => count > 0,
      () => null,
    );
    known.set(pinnedTo, { at: Date.now(), answer });
    return answer;
  };
}
