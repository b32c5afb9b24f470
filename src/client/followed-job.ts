/**
 * What a reader knows of one job, folded from the items of its stream with the workflow's own `apply`. What is not durable, the
 * progress of clips, is kept in a map of its own and never in the job. Pure.
 *
 * FOLD-1 an event already folded changes nothing.
 * FOLD-2 a stale snapshot never takes the job back in time.
 */
import { apply, isClipEvent } from '../domain/job/progress.js';
import type { FollowItem } from './follow-events.js';
import type { ClipProgress, JobEvent, JobSnapshot } from './wire.js';

export interface FollowedJob {
  readonly job: JobSnapshot;
  /** By clip_index; forgotten at the clip's next event. */
  readonly live: ReadonlyMap<number, ClipProgress>;
}

export const openedWith = (job: JobSnapshot): FollowedJob => ({ job, live: new Map() });

export function fold(state: FollowedJob, item: FollowItem): FollowedJob {
  switch (item.kind) {
    case 'snapshot':
      return foldSnapshot(state, item.job);
    case 'event':
      return foldEvent(state, item.event);
    case 'progress':
      return foldProgress(state, item.progress);
    case 'connected':
    case 'lost':
      return state;
  }
}

function foldSnapshot(state: FollowedJob, job: JobSnapshot): FollowedJob {
  if (job.stale === true && job.seq < state.job.seq) {
    return { ...state, job: { ...state.job, stale: true } }; // FOLD-2
  }
  return { ...state, job };
}

function foldEvent(state: FollowedJob, event: JobEvent): FollowedJob {
  if (event.seq <= state.job.seq) return state; // FOLD-1
  const job = confirmed(apply(state.job, event));
  if (!isClipEvent(event)) return { ...state, job };
  const live = new Map(state.live);
  live.delete(event.clip_index);
  return { ...state, job, live };
}

function foldProgress(state: FollowedJob, progress: ClipProgress): FollowedJob {
  const live = new Map(state.live).set(progress.clip_index, progress);
  if ((progress.stale === true) === (state.job.stale === true)) return { ...state, live };
  const job =
    progress.stale === true ? { ...state.job, stale: true as const } : confirmed(state.job);
  return { ...state, live, job };
}

/** The job as a worker has confirmed it. */
function confirmed({ stale: _stale, source: _source, ...job }: JobSnapshot): JobSnapshot {
  return job;
}
