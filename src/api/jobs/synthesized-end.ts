/**
 * The terminal events of a job whose workflow could not write them (terminated, timed out, refused before its first event),
 * numbered after its log. Pure, and the same on every call, so that readers may replay them like any other.
 */
import { problem } from '../../domain/job/failures.js';
import type { Problem, Clip, Job, JobEvent, JobFact } from '../../domain/job/job.schema.js';
import { clipPercent, costsOf, isClipOver, isOver, record } from '../../domain/job/progress.js';
import type { RunEnd, Run } from './jobs-port.js';

export function synthesizedTerminalEvents(job: Job, run: Run, end: RunEnd | null): JobEvent[] {
  if (run.closed_at === null || isOver(job.status)) return [];
  const error = end?.error ?? problem('internal', `the workflow ended as ${run.status}`);
  const at = run.closed_at;
  const events: JobEvent[] = [];
  let last = job;
  const add = (fact: JobFact): void => {
    const { job: after, event } = record(last, fact, at);
    last = after;
    events.push(event);
  };
  for (const clip of job.clips) {
    if (!isClipOver(clip.status)) add(endOfClip(clip, error, at));
  }
  const canceled = run.status === 'canceled';
  add({
    type: canceled ? 'job.canceled' : 'job.failed',
    error,
    ...costsOf(last),
  });
  return events;
}

/** A clip without an attempt is canceled; one that was under way has failed. */
function endOfClip({ waits_for: _, ...clip }: Clip, error: Problem, at: string): JobFact {
  const status = clip.attempt === 0 || error.kind === 'canceled' ? 'canceled' : 'failed';
  const ended: Clip = {
    ...clip,
    status,
    percent: clipPercent(status),
    next_attempt_at: null,
    completed_at: at,
    error,
  };
  return { type: `clip.${status}`, clip_index: clip.clip_index, clip: ended };
}
