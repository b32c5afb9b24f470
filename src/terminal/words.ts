/**
 * States, phases and events in plain words: one table each, so that every word is written once. Pure.
 */
import { FAILURES } from '../domain/job/failure-kinds.js';
import type {
  Problem,
  Clip,
  ClipStatus,
  Job,
  JobEvent,
  JobStatus,
  Wait,
} from '../domain/job/job.schema.js';
import { unknownCosts } from '../domain/job/progress.js';
import { earlierWarnings, waitOf } from '../domain/job/waiting.js';
import type { ClipProgress } from './event-stream.js';
import { clock, oneLine, plural, seconds, spent, usd } from './format.js';
import type { Style } from './span.js';

export const JOB_STYLES: Record<JobStatus, Style> = {
  queued: 'dim',
  running: 'cyan',
  paused: 'yellow',
  succeeded: 'green',
  failed: 'red',
  canceled: 'yellow',
};

export const CLIP_STYLES: Record<ClipStatus, Style> = {
  queued: 'dim',
  running: 'cyan',
  retrying: 'yellow',
  storing: 'cyan',
  succeeded: 'green',
  failed: 'red',
  canceled: 'yellow',
};

export const CLIP_WORDS: Record<ClipStatus, string> = {
  queued: 'queued',
  running: 'rendering',
  retrying: 'waits to retry',
  storing: 'saving',
  succeeded: 'done',
  failed: 'failed',
  canceled: 'canceled',
};

const PHASE_WORDS: Readonly<Record<string, string>> = {
  waiting_for_worker: 'waits for a worker',
  waiting_for_rate: 'waits to be sent',
  backoff: 'waits to retry',
  creating: 'sending',
  waiting: 'provider busy',
  reconciling: 'finding again',
  rendering: 'rendering',
  storing: 'saving',
};

const WAIT_WORDS: Record<Wait, string> = {
  worker: 'waits for a worker',
  rate: "waits for the provider's rate limit",
  turn: 'waits for its turn',
  clip: 'waits for another clip',
};

/** Why a queued clip does not run. */
export function waitText(clip: Clip, live: ClipProgress | undefined): string {
  const wait = waitOf(clip, live);
  return wait === null ? '' : WAIT_WORDS[wait];
}

const SHOWS_PHASE: ReadonlySet<ClipStatus> = new Set(['running', 'storing', 'queued']);

/** What the clip does now: the live phase while it runs, else its state. */
export const phaseOf = (clip: Clip, live: ClipProgress | undefined): string =>
  live !== undefined && SHOWS_PHASE.has(clip.status) && waitOf(clip, live) === null
    ? (PHASE_WORDS[live.phase] ?? CLIP_WORDS[clip.status])
    : CLIP_WORDS[clip.status];

/** Empty where the job lists every warning. */
export function earlierText({ warnings, warnings_total }: Job): string {
  const count = earlierWarnings(warnings, warnings_total);
  return count === 0 ? '' : `… and ${plural(count, 'earlier warning')}`;
}

/** Seconds until something waited for happens; null when nothing is. */
export function countdown(clip: Clip, live: ClipProgress | undefined, now: number): number | null {
  const until =
    live?.next_attempt_at ??
    live?.until ??
    (clip.status === 'retrying' ? clip.next_attempt_at : null);
  return until === null ? null : Math.max(0, (Date.parse(until) - now) / 1000);
}

export function problemText({ kind, message }: Problem): string {
  const text = oneLine(message);
  const { says } = FAILURES[kind];
  if (kind === 'canceled' && text !== '') return text;
  return text === '' ? says : `${says} (${text})`;
}

/** What a person can do about it. */
export const adviceFor = (error: Problem): string => FAILURES[error.kind].advice;

export const clipName = (clipIndex: number): string => `clip ${String(clipIndex)}`;
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
  return ` in ${clock((Date.parse(clip.next_attempt_at) - Date.parse(at)) / 1000)}`;
}
