/** States, phases, waits and failures in plain words: one table each, so that page and terminal say the same. Pure. */
import { ruleOf } from '../domain/job/failure-kinds.js';
import { isStarted, isClipOver } from '../domain/job/progress.js';
import { earlierWarnings, waitOf } from '../domain/job/waiting.js';
import { plural } from './figures.js';
import type {
  Clip,
  ClipProgress,
  ClipStatus,
  FailureKind,
  Job,
  JobStatus,
  LivePhase,
  Wait,
} from './wire.js';

export const JOB_WORDS: Record<JobStatus, string> = {
  queued: 'queued',
  running: 'running',
  paused: 'paused',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
};

export const CLIP_WORDS: Record<ClipStatus, string> = {
  queued: 'queued',
  running: 'rendering',
  retrying: 'waiting to retry',
  storing: 'saving',
  succeeded: 'ready',
  failed: 'failed',
  canceled: 'canceled',
};

const WAIT_WORDS: Record<Wait, string> = {
  worker: 'waiting for a worker',
  rate: "waiting for the provider's rate limit",
  turn: 'waiting for its turn',
  clip: 'waiting for another clip',
};

/** Between two events, from what Temporal knows of the activity. */
const PHASE_WORDS: Record<LivePhase, string> = {
  waiting_for_worker: WAIT_WORDS.worker,
  waiting_for_rate: WAIT_WORDS.rate,
  backoff: CLIP_WORDS.retrying,
  creating: 'sending to the model',
  waiting: 'waiting for the provider',
  reconciling: 'finding the prediction again',
  rendering: CLIP_WORDS.running,
  storing: CLIP_WORDS.storing,
};

/** Why a queued clip does not run; null of one that is not queued, or is just being sent. A newer API may know other reasons. */
export function waitText(clip: Clip, live: ClipProgress | undefined): string | null {
  const wait = waitOf(clip, live);
  return wait === null ? null : (WAIT_WORDS[wait] ?? 'waiting');
}

/** What the clip does now: why it waits, else its live phase, else its state. A newer API may know other phases. */
export function phaseText(clip: Clip, live: ClipProgress | undefined): string {
  const wait = waitText(clip, live);
  if (wait !== null) return wait;
  const state = CLIP_WORDS[clip.status];
  return live === undefined || isClipOver(clip.status) ? state : (PHASE_WORDS[live.phase] ?? state);
}

/** When what the clip waits for is due, RFC 3339; null where nothing is. */
export const dueAt = (clip: Clip, live: ClipProgress | undefined): string | null =>
  live?.next_attempt_at ??
  live?.until ??
  (clip.status === 'retrying' ? clip.next_attempt_at : null);

/** What went wrong, in a few words; the provider's own text is the failure's message. */
export const failureWords = (kind: FailureKind): string => ruleOf(kind).summary;

/** What a person can do about it. */
export const adviceFor = (kind: FailureKind): string => ruleOf(kind).advice;

/** Of the warnings that the job counts and no longer lists; empty where it lists every one. */
export function earlierText({ warnings, warnings_total }: Job): string {
  const count = earlierWarnings(warnings, warnings_total);
  return count === 0 ? '' : `… and ${plural(count, 'earlier warning')}`;
}

/** Batches go in ascending order: the last one of which a clip has started is the one that runs. */
export function batchText(job: Job): string {
  const { clips, batch_size } = job;
  if (job.dispatch === 'window') return `${String(batch_size)} at a time`;
  const started = clips.findLastIndex((clip) => isStarted(clip) && clip.status !== 'canceled');
  const batch = Math.floor(Math.max(0, started) / batch_size) + 1;
  return `batch ${String(batch)} of ${String(Math.max(1, Math.ceil(clips.length / batch_size)))}`;
}

export const clipName = (clipIndex: number): string => `clip ${String(clipIndex)}`;

/** As the beginning of a line or a label. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
