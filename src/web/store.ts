/**
 * What the page knows of one job, folded from the stream's frames with the workflow's own `apply`.
 * Pure; it owns what is not durable (progress while rendering, the recent log) and nothing of the job.
 *
 * S1 a frame already folded changes nothing; a gap changes nothing and is reported.
 * S2 a stale snapshot never takes the page back in time.
 */
import type { Job, JobEvent } from '../domain/job/job.schema.js';
import { apply, isClipEvent } from '../domain/job/progress.js';

/** A job as the API answers it; `stale` when no worker could be asked. */
export type JobSnapshot = Job & { stale?: boolean; source?: string };

/** Frame `clip.progress`: what a clip does right now. Never durable. */
export interface LiveProgress {
  clip_index: number;
  attempt: number;
  percent: number | null;
  phase: string;
  next_attempt_at?: string | null;
  last_error?: string | null;
  /** When a wait inside the attempt ends, and what it waits for. */
  until?: string | null;
  message?: string | null;
  /** From the model's usual time, not from the model's own log. */
  estimated: boolean;
  /** No worker answers; Temporal alone said this. */
  stale?: boolean;
}

export interface PageState {
  readonly job: JobSnapshot | null;
  readonly live: ReadonlyMap<number, LiveProgress>;
  readonly batch: { batch: number; batches: number } | null;
  /** The latest events, newest last. */
  readonly log: readonly JobEvent[];
}

export type Frame =
  | { kind: 'snapshot'; job: JobSnapshot }
  | { kind: 'event'; event: JobEvent }
  | { kind: 'progress'; progress: LiveProgress };

const LOG_LIMIT = 200;

export const EMPTY: PageState = { job: null, live: new Map(), batch: null, log: [] };

/** True when events are missing between the job and this one: ask again from `job.seq`. */
export const leavesGap = (state: PageState, event: JobEvent): boolean =>
  state.job !== null && event.seq > state.job.seq + 1;

export function fold(state: PageState, frame: Frame): PageState {
  switch (frame.kind) {
    case 'snapshot':
      return foldSnapshot(state, frame.job);
    case 'event':
      return foldEvent(state, frame.event);
    case 'progress':
      return foldProgress(state, frame.progress);
  }
}

function foldSnapshot(state: PageState, job: JobSnapshot): PageState {
  if (state.job !== null && job.stale === true && job.seq < state.job.seq) {
    return { ...state, job: { ...state.job, stale: true } }; // S2
  }
  return { ...state, job };
}

function foldEvent(state: PageState, event: JobEvent): PageState {
  if (state.job === null || event.seq <= state.job.seq || leavesGap(state, event)) return state; // S1
  const job = asked(apply(state.job, event));
  const log = [...state.log, event].slice(-LOG_LIMIT);
  const batch =
    event.type === 'batch.started' ? { batch: event.batch, batches: event.batches } : state.batch;
  if (!isClipEvent(event)) return { ...state, job, log, batch };
  const live = new Map(state.live);
  live.delete(event.clip_index);
  return { job, log, batch, live };
}

function foldProgress(state: PageState, progress: LiveProgress): PageState {
  const live = new Map(state.live);
  live.set(progress.clip_index, progress);
  if (state.job === null || (progress.stale === true) === (state.job.stale === true)) {
    return { ...state, live };
  }
  const job = progress.stale === true ? { ...state.job, stale: true } : asked(state.job);
  return { ...state, live, job };
}

/** The job of somebody who could be asked. */
function asked(job: JobSnapshot): JobSnapshot {
  const { stale: _stale, source: _source, ...fresh } = job;
  return fresh;
}

/** A stream frame's name and data to what it means; null for anything this page does not know. */
export function readFrame(event: string, data: string): Frame | null {
  const value = parse(data);
  if (value === null) return null;
  const { seq, clips, clip_index } = value as Readonly<Record<string, unknown>>;
  if (event === 'snapshot') {
    const isJob = Number.isSafeInteger(seq) && Array.isArray(clips);
    return isJob ? { kind: 'snapshot', job: value as JobSnapshot } : null;
  }
  if (event === 'clip.progress') {
    const isOfClip = Number.isSafeInteger(clip_index);
    return isOfClip ? { kind: 'progress', progress: value as LiveProgress } : null;
  }
  return Number.isSafeInteger(seq) ? { kind: 'event', event: value as JobEvent } : null;
}

function parse(data: string): object | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
