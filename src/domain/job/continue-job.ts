/**
 * A retried job continues the job of the previous run under the same id, with its good clips and its whole ledger. Pure;
 * the facts recorded next show the difference to every reader that folds events.
 */
import type { Clip, Job, JobFact } from './job.schema.js';
import { clipForEvent, reopened, unknownCostsOf } from './progress.js';

/** The retried job before its first new event. `fresh` is the plan checked again. */
export function continueJob(fresh: Job, previous: Job | null): Job {
  if (previous === null) return fresh;
  const planned = new Map(fresh.clips.map((clip) => [clip.clip_index, clip]));
  return {
    ...reopened(previous),
    // Older releases did not count them.
    unknown_costs: unknownCostsOf(previous.clips),
    warnings_total: (previous as Partial<Job>).warnings_total ?? previous.warnings.length,
    run_id: fresh.run_id,
    status: 'queued',
    clips: previous.clips.map((clip) => {
      const whole = planned.get(clip.clip_index);
      if (whole === undefined) return clip;
      // The previous run's answer may have shortened them; the plan has them whole.
      const { prompt, metadata, duration_reason } = whole;
      return { ...clip, prompt, metadata, duration_reason };
    }),
  };
}

/** One fact for each clip that runs again; the clip keeps its earlier predictions and their cost. */
export function retriedClips(fresh: Job, previous: Job | null): JobFact[] {
  if (previous === null) return [];
  const before = new Map(previous.clips.map((clip) => [clip.clip_index, clip]));
  return fresh.clips.flatMap((clip): JobFact[] => {
    const ended = before.get(clip.clip_index);
    if (ended?.status === 'succeeded') return [];
    const { clip_index } = clip;
    const after = retried(clip, ended);
    return [
      {
        type: 'clip.retrying',
        clip_index,
        clip: ended === undefined ? after : clipForEvent(ended, after),
      },
    ];
  });
}

const retried = (fresh: Clip, ended: Clip | undefined): Clip =>
  ended === undefined
    ? fresh
    : { ...fresh, predictions: ended.predictions, cost_usd: ended.cost_usd };
