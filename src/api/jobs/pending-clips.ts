/**
 * What Temporal knows of clips under way, from their pending activities: the only source of attempt, backoff and render progress
 * between two events. Pure; nothing here is durable or numbered.
 */
import { clipOfActivity } from '../../contract/activity-ids.js';
import type { ClipProgress, LivePhase } from '../../domain/job/clip-progress.schema.js';
import type { Clip, Job, Wait } from '../../domain/job/job.schema.js';
import { isClipOver } from '../../domain/job/progress.js';
import type { PendingActivity } from './jobs-port.js';

interface Watched {
  activity: PendingActivity;
  clip: Clip | null;
  usual_time: number | null;
  /** Does any worker take clips to render? Null: not known. */
  hasRenderWorkers?: boolean | null;
  now: number;
}

export function clipProgress(jobId: string, watched: Watched): ClipProgress | null {
  const { activity } = watched;
  const target = clipOfActivity(activity.activity_id);
  if (target === null) return null;
  const beat = activity.heartbeat;
  const phase = phaseOf(watched, target.role);
  const message = beat?.message ?? waitOf(activity);
  return {
    job_id: jobId,
    clip_index: target.clip_index,
    attempt: beat?.attempt ?? Math.max(1, watched.clip?.attempt ?? 1),
    ...percentOf(watched, phase),
    phase,
    ...(activity.next_attempt_at === null ? {} : { next_attempt_at: activity.next_attempt_at }),
    ...(beat?.until == null ? {} : { until: beat.until }),
    ...(activity.last_error === null ? {} : { last_error: lastError(activity) }),
    ...(message === null ? {} : { message }),
    ...(beat?.prediction_id == null ? {} : { prediction_id: beat.prediction_id }),
  };
}

/** Of an execution that runs: what an earlier one was waiting for is over. */
const waitOf = ({ state, waits_for }: PendingActivity): string | null =>
  state === 'started' ? (waits_for ?? null) : null;

/** Each reason why downloads of the job wait, once, with the clips that it holds up. */
function waits(pending: readonly PendingActivity[]): string[] {
  const clipsOf = new Map<string, number[]>();
  for (const activity of pending) {
    const sentence = waitOf(activity);
    const index = clipOfActivity(activity.activity_id)?.clip_index;
    // Reference images are downloaded by one activity for all clips that start next.
    const clips = sentence === null ? [] : (clipsOf.get(sentence) ?? []);
    if (sentence !== null) clipsOf.set(sentence, index === undefined ? clips : [...clips, index]);
  }
  return [...clipsOf].map(([sentence, clips]) =>
    clips.length === 0
      ? `the job's reference images: ${sentence}`
      : `clip ${clips.toSorted((a, b) => a - b).join(', ')}: ${sentence}`,
  );
}

const withWaits = (job: Job, pending: readonly PendingActivity[]): Job => {
  const sentences = waits(pending);
  return {
    ...job,
    warnings: [...job.warnings, ...sentences],
    warnings_total: job.warnings_total + sentences.length,
  };
};

/** A download is retried for an hour, unpaid and outside of any attempt: the error includes how often it was tried. */
function lastError({
  activity_id,
  executions = 1,
  last_error,
  last_error_kind,
}: PendingActivity): string {
  const isStoring = clipOfActivity(activity_id)?.role === 'store' && last_error_kind != null;
  const times = executions === 1 ? 'once' : `${String(executions)} times`;
  return `${last_error ?? ''}${isStoring ? ` (tried ${times})` : ''}`;
}

function phaseOf({ activity, hasRenderWorkers = null }: Watched, role: string): LivePhase {
  if (activity.next_attempt_at !== null) return 'backoff';
  if (isScheduled(activity)) {
    return role === 'clip' && hasRenderWorkers === true ? 'waiting_for_rate' : 'waiting_for_worker';
  }
  return role === 'store' ? 'storing' : (activity.heartbeat?.phase ?? 'creating');
}

/** A worker may take it at any moment. */
export const isScheduled = ({ state, next_attempt_at }: PendingActivity): boolean =>
  state === 'scheduled' && next_attempt_at === null;

/**
 * What a clip that is not at the provider yet waits for, as far as Temporal knows. Workers that poll take a scheduled activity at
 * once, unless the rate limit of creates holds it back.
 */
function waitOfQueued(activity: PendingActivity, hasRenderWorkers: boolean | null): Wait | null {
  if (isScheduled(activity)) return hasRenderWorkers === true ? 'rate' : 'worker';
  return activity.heartbeat?.phase === 'waiting' ? 'rate' : null;
}

function withWait(
  { waits_for, ...clip }: Clip,
  activity: PendingActivity,
  rendered: boolean | null,
): Clip {
  if (activity.next_attempt_at !== null) return { ...clip, ...(waits_for && { waits_for }) };
  const wait = waitOfQueued(activity, rendered);
  return { ...clip, ...(wait && { waits_for: wait }) };
}

/** An estimate never reaches the end, which only the provider knows. */
const MAX_ESTIMATED = 95;

function percentOf(
  { activity, clip, usual_time, now }: Watched,
  phase: LivePhase,
): { percent: number | null; estimated: boolean } {
  if (phase === 'storing') return { percent: 100, estimated: false };
  if (phase !== 'rendering') return { percent: phase === 'creating' ? 0 : null, estimated: false };
  const reported = activity.heartbeat?.percent ?? null;
  if (reported !== null) return { percent: reported, estimated: false };
  const id = activity.heartbeat?.prediction_id;
  const created = clip?.predictions.find((prediction) => prediction.id === id)?.created_at;
  const since = Date.parse(created ?? activity.last_started_at ?? '');
  if (usual_time === null || Number.isNaN(since)) return { percent: null, estimated: true };
  const percent = Math.round(((now - since) / (usual_time * 1000)) * 100);
  return { percent: Math.max(0, Math.min(MAX_ESTIMATED, percent)), estimated: true };
}

/**
 * The workflow learns of a download when it is over. Before, only Temporal knows why it failed and when it is retried, and what a
 * clip waits for that no worker has taken yet. Downloads that wait for their turn are warnings of the job for as long as they wait.
 */
export function withStoring(
  job: Job,
  pending: readonly PendingActivity[],
  hasRenderWorkers: boolean | null = null,
): Job {
  return overlaid(job, pending, (clip, activity) => {
    if (clip.status === 'storing') return withDownloadError(clip, activity);
    return clip.status === 'queued' ? withWait(clip, activity, hasRenderWorkers) : clip;
  });
}

function overlaid(
  job: Job,
  pending: readonly PendingActivity[],
  change: (clip: Clip, activity: PendingActivity) => Clip,
): Job {
  const activities = new Map(
    pending.flatMap((activity) => {
      const index = clipOfActivity(activity.activity_id)?.clip_index;
      return index === undefined ? [] : [[index, activity] as const];
    }),
  );
  const clips = job.clips.map((clip) => {
    const activity = activities.get(clip.clip_index);
    return activity === undefined ? clip : change(clip, activity);
  });
  return withWaits({ ...job, clips }, pending);
}

function withDownloadError(clip: Clip, activity: PendingActivity): Clip {
  const { activity_id, last_error_kind: kind, next_attempt_at } = activity;
  if (clipOfActivity(activity_id)?.role !== 'store' || kind == null) return clip;
  return {
    ...clip,
    next_attempt_at,
    error: { kind, message: lastError(activity), retryable: true },
  };
}

/** The last known job, corrected by what is pending now. */
export function withPending(
  job: Job,
  pending: readonly PendingActivity[],
  hasRenderWorkers: boolean | null = null,
): Job {
  return overlaid(job, pending, (clip, activity) =>
    isClipOver(clip.status) ? clip : correct(clip, activity, hasRenderWorkers),
  );
}

function correct(known: Clip, activity: PendingActivity, hasRenderWorkers: boolean | null): Clip {
  if (known.status === 'queued' && isScheduled(activity) && activity.heartbeat === null) {
    return withWait(known, activity, hasRenderWorkers);
  }
  const { waits_for: _, ...clip } = known;
  const attempt = Math.max(clip.attempt, activity.heartbeat?.attempt ?? 1);
  const storing = clipOfActivity(activity.activity_id)?.role === 'store';
  if (storing) {
    return withDownloadError(
      { ...clip, status: 'storing', attempt, next_attempt_at: null },
      activity,
    );
  }
  if (activity.next_attempt_at !== null) {
    return { ...clip, status: 'retrying', attempt, next_attempt_at: activity.next_attempt_at };
  }
  return { ...clip, status: 'running', attempt, next_attempt_at: null };
}
