/** What happens to a job and its clips, as plain lines of the terminal. Pure. */
import { seconds, spent, time, usd } from '../client/figures.js';
import { clipName, dueAt, failureWords } from '../client/words.js';
import type { Clip, ClipProgress, JobEvent, Problem } from '../client/wire.js';
import { unknownCosts } from '../domain/job/progress.js';
import { oneLine } from './format.js';

/** Seconds until something waited for happens; null when nothing is. */
export function countdown(clip: Clip, live: ClipProgress | undefined, now: number): number | null {
  const due = dueAt(clip, live);
  return due === null ? null : Math.max(0, (Date.parse(due) - now) / 1000);
}

export function problemText({ kind, message }: Problem): string {
  const text = oneLine(message);
  const words = failureWords(kind);
  if (kind === 'canceled' && text !== '') return text;
  return text === '' ? words : `${words} (${text})`;
}

export const attemptText = (clip: Clip): string =>
  `attempt ${String(Math.max(1, clip.attempt))} of ${String(clip.max_attempts)}`;

const reason = (error: Problem | null): string => (error === null ? '' : `: ${problemText(error)}`);

/** One event as one plain line, without its time. */
export function sentenceOf(event: JobEvent): string {
  switch (event.type) {
    case 'job.started':
      return `job started: ${String(event.total_clips)} clips on ${event.model}, estimated ${usd(event.estimated_cost_usd)}`;
    case 'batch.started':
      return `batch ${String(event.batch)} of ${String(event.batches)} started: clips ${event.clip_indexes.join(', ')}`;
    case 'clip.started':
      return `${clipName(event.clip_index)} started: ${seconds(event.clip.requested_duration)} requested`;
    case 'clip.submitted':
      return `${clipName(event.clip_index)} is rendering, ${attemptText(event.clip)}${submitted(event.clip)}`;
    case 'clip.retrying':
      return `${clipName(event.clip_index)} will be tried again${on(event.clip)}${wait(event.clip, event.at)}${reason(event.clip.error)}`;
    case 'clip.storing':
      return `${clipName(event.clip_index)} is rendered, saving it`;
    case 'clip.completed':
      return `${clipName(event.clip_index)} done: ${durations(event.clip)}, ${completedCost(event.clip)}`;
    case 'clip.failed':
      return `${clipName(event.clip_index)} failed after ${attemptText(event.clip)}${reason(event.clip.error)}`;
    case 'clip.canceled':
      return `${clipName(event.clip_index)} canceled${reason(event.clip.error)}`;
    case 'job.paused':
      return 'job paused: running clips finish, no more are started';
    case 'job.resumed':
      return 'job resumed';
    case 'job.warning':
      return `warning: ${oneLine(event.message)}`;
    case 'job.completed':
      return `job succeeded, ${spent(event.total_cost_usd, event.unknown_costs ?? 0)}`;
    case 'job.failed':
      return `job failed${reason(event.error)}`;
    case 'job.canceled':
      return 'job canceled';
  }
  return (event as JobEvent).type; // of a newer release
}

const on = ({ model }: Clip): string => (model === undefined ? '' : ` on ${model}`);

const completedCost = (clip: Clip): string =>
  clip.cost_usd === null ? 'cost unknown' : spent(clip.cost_usd, unknownCosts(clip));

/** 4.96 s of 5 s, or only what was requested while nothing is measured. */
export const durations = (clip: Clip): string =>
  clip.actual_duration === null
    ? seconds(clip.requested_duration)
    : `${seconds(clip.actual_duration)} of ${seconds(clip.requested_duration)}`;

function submitted(clip: Clip): string {
  const prediction = clip.predictions.at(-1);
  return prediction === undefined ? '' : ` (prediction ${oneLine(prediction.id)})`;
}

function wait(clip: Clip, at: string): string {
  if (clip.next_attempt_at === null) return '';
  return ` in ${time((Date.parse(clip.next_attempt_at) - Date.parse(at)) / 1000)}`;
}
