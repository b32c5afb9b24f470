/** A retried job: the good clips and the whole ledger of the run before it, everything else queued again. Pure. */
import type { Clip, Job } from '../domain/job.js';
import { withTotals } from '../domain/progress.js';

export function continueJob(fresh: Job, previous: Job | null): Job {
  if (previous === null) return fresh;
  const before = new Map(previous.clips.map((clip) => [clip.clip_index, clip]));
  return withTotals({
    ...fresh,
    created_at: previous.created_at,
    started_at: previous.started_at,
    max_cost_usd: previous.max_cost_usd ?? fresh.max_cost_usd,
    warnings: previous.warnings,
    clips: fresh.clips.map((clip) => continueClip(clip, before.get(clip.clip_index))),
  });
}

function continueClip(fresh: Clip, before: Clip | undefined): Clip {
  if (before === undefined) return fresh;
  // Prompt and metadata may have been shortened on the way; the plan has them whole.
  const { prompt, metadata } = fresh;
  if (before.status === 'succeeded') return { ...before, prompt, metadata };
  return { ...fresh, predictions: before.predictions, cost_usd: before.cost_usd };
}
