/**
 * A retried job: it goes on from the job of the run before it, under the same id, with the good clips and the
 * whole ledger. Pure; the facts that follow make the difference visible to everybody who folds them.
 */
import type { Clip, Job, JobFact } from './job.schema.js';
import { newsOf, unfinished, unknownCostsOf } from './progress.js';

/** The retried job before its first new event. `fresh` is the plan checked again. */
export function continueJob(fresh: Job, previous: Job | null): Job {
  if (previous === null) return fresh;
  const planned = new Map(fresh.clips.map((clip) => [clip.clip_index, clip]));
  return {
    ...unfinished(previous),
    // Older releases did not count them.
    unknown_costs: unknownCostsOf(previous.clips),
    warnings_total: (previous as Partial<Job>).warnings_total ?? previous.warnings.length,
    run_id: fresh.run_id,
    status: 'queued',
    clips: previous.clips.map((clip) => {
      const whole = planned.get(clip.clip_index);
      if (whole === undefined) return clip;
      // They may have been shortened on the way; the plan has them whole.
      const { prompt, metadata, duration_reason } = whole;
      return { ...clip, prompt, metadata, duration_reason };
    }),
  };
}

/** One fact for each clip that is run again; it keeps what its earlier predictions were and cost. */
export function clipsAgain(fresh: Job, previous: Job | null): JobFact[] {
  if (previous === null) return [];
  const before = new Map(previous.clips.map((clip) => [clip.clip_index, clip]));
  return fresh.clips.flatMap((clip): JobFact[] => {
    const ended = before.get(clip.clip_index);
    if (ended?.status === 'succeeded') return [];
    const { clip_index } = clip;
    const after = again(clip, ended);
    return [
      {
        type: 'clip.retrying',
        clip_index,
        clip: ended === undefined ? after : newsOf(ended, after),
      },
    ];
  });
}

const again = (fresh: Clip, ended: Clip | undefined): Clip =>
  ended === undefined
    ? fresh
    : { ...fresh, predictions: ended.predictions, cost_usd: ended.cost_usd };
