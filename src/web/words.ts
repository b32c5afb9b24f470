/**
 * What the page says of states, phases and failures: one table each, so that every word is written once.
 * Pure text.
 */
import type { Clip, ClipStatus, JobEvent, JobStatus } from '../domain/job.js';
import { isClipOver } from '../domain/progress.js';
import type { FailureKind } from '../domain/failures.js';
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

/** Between two events, from what Temporal knows of the activity. */
const PHASE_WORDS: Record<string, string> = {
  waiting_for_worker: 'Waiting for a worker',
  backoff: CLIP_WORDS.retrying,
  creating: 'Sending to the model',
  waiting: 'Waiting for the provider',
  reconciling: 'Finding the prediction again',
  rendering: 'Rendering',
  storing: 'Saving',
};

export const phaseOf = (clip: Clip, live: LiveProgress | undefined): string =>
  live === undefined || isClipOver(clip.status)
    ? CLIP_WORDS[clip.status]
    : (PHASE_WORDS[live.phase] ?? CLIP_WORDS[clip.status]);

/** What went wrong, in plain words; the provider's own text stands beneath it. */
export const FAILURE_WORDS: Record<FailureKind, string> = {
  invalid_plan: 'The plan has mistakes',
  invalid_input: 'The model refused the input',
  invalid_reference: 'A reference image could not be used',
  flagged: 'The provider refused the content',
  unauthorized: 'The provider refused the token',
  insufficient_credit: 'The account has no credit left',
  rate_limited: 'The provider asks to slow down',
  provider_error: 'The provider had a problem',
  no_output: 'The model returned no video',
  wrong_duration: 'The video has the wrong length',
  timed_out: 'It took too long',
  output_lost: 'The provider deleted the file',
  storage_error: 'The video could not be saved',
  over_budget: 'It does not fit under the cost cap',
  unreachable: 'Too many clips failed to go on',
  canceled: 'Canceled',
  insufficient_clips: 'Too few clips succeeded',
  internal: 'Something broke in this program',
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
