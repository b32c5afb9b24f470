/**
 * What the page says of states, phases and failures: one table each, so that every word is written once.
 * Pure text.
 */
import type { Clip, ClipStatus, JobEvent, JobStatus, Wait } from '../domain/job/job.schema.js';
import { isClipOver } from '../domain/job/progress.js';
import { waitOf } from '../domain/job/waiting.js';
import { FAILURES } from '../domain/job/failure-kinds.js';
import type { FailureKind } from '../domain/job/failure-kinds.js';
import { clipName } from './format.js';
import type { LiveProgress } from './store.js';

export const JOB_WORDS: Record<JobStatus, string> = {
  queued: 'Queued',
  running: 'Running',
  paused: 'Paused',
  succeeded: 'Succeeded',
  failed: 'Failed',
  canceled: 'Canceled',
};

export const CLIP_WORDS: Record<ClipStatus, string> = {
  queued: 'Queued',
  running: 'Rendering',
  retrying: 'Waiting to retry',
  storing: 'Saving',
  succeeded: 'Ready',
  failed: 'Failed',
  canceled: 'Canceled',
};

const WAIT_WORDS: Record<Wait, string> = {
  worker: 'Waiting for a worker',
  rate: "Waiting for the provider's rate limit",
  turn: 'Waiting for its turn',
  clip: 'Waiting for another clip',
};

/** Between two events, from what Temporal knows of the activity. */
const PHASE_WORDS: Record<string, string> = {
  waiting_for_worker: WAIT_WORDS.worker,
  waiting_for_rate: WAIT_WORDS.rate,
  backoff: CLIP_WORDS.retrying,
  creating: 'Sending to the model',
  waiting: 'Waiting for the provider',
  reconciling: 'Finding the prediction again',
  rendering: 'Rendering',
  storing: 'Saving',
};

export function phaseOf(clip: Clip, live: LiveProgress | undefined): string {
  const wait = waitOf(clip, live);
  if (wait !== null) return WAIT_WORDS[wait];
  return live === undefined || isClipOver(clip.status)
    ? CLIP_WORDS[clip.status]
    : (PHASE_WORDS[live.phase] ?? CLIP_WORDS[clip.status]);
}

/** What went wrong, as a headline; the provider's own text stands beneath it. */
export const failureWords = (kind: FailureKind): string => {
  const { says } = FAILURES[kind];
  return says.charAt(0).toUpperCase() + says.slice(1);
};

/** An event as a sentence for the announcer; null for what nobody needs to be told. */
export function sentenceOf(event: JobEvent): string | null {
  switch (event.type) {
    case 'clip.completed':
      return `${clipName(event.clip_index)} is ready`;
    case 'clip.failed':
      return `${clipName(event.clip_index)} failed: ${event.clip.error?.message ?? 'no reason given'}`;
    case 'clip.canceled':
      return `${clipName(event.clip_index)} was canceled`;
    case 'clip.retrying':
      return `${clipName(event.clip_index)} will be tried again`;
    case 'batch.started':
      return `Batch ${String(event.batch)} of ${String(event.batches)} started`;
    case 'job.paused':
      return 'The job is paused; running clips finish';
    case 'job.resumed':
      return 'The job goes on';
    case 'job.warning':
      return `Warning: ${event.message}`;
    case 'job.completed':
      return 'The job is done';
    case 'job.failed':
      return `The job failed: ${event.error?.message ?? 'no reason given'}`;
    case 'job.canceled':
      return 'The job was canceled';
    case 'job.started':
    case 'clip.started':
    case 'clip.submitted':
    case 'clip.storing':
      return null;
  }
}
