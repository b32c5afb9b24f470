/**
 * The shapes everybody shares: job, clip, prediction, event. Plain JSON in snake_case, the same in
 * workflow results, query answers, HTTP bodies and SSE data; nobody maps them. Types only, no code.
 * Seconds for durations, US dollars for money, RFC 3339 UTC for times.
 */
import type { Compensation } from './compensation.js';
import type { Problem } from './failure-kinds.js';
import type { Quality } from '../plan/quality.js';

export type JobStatus = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'canceled';
export type ClipStatus =
  'queued' | 'running' | 'retrying' | 'storing' | 'succeeded' | 'failed' | 'canceled';
export type BufferStrategy = 'maximum' | 'percentage' | 'none';

/** Replicate's own words for a prediction's state. */
export type PredictionStatus =
  'starting' | 'processing' | 'succeeded' | 'failed' | 'canceled' | 'aborted';

/** One line of the ledger: a prediction that this clip has paid for, or may have. */
export interface Prediction {
  id: string;
  /** Counted from 1 within the clip, on each model anew. */
  attempt: number;
  /** That made it, or was asked to; only in jobs whose plan names fallback_models. */
  model?: string;
  status: PredictionStatus;
  /** Where a person looks at it. */
  url: string;
  created_at: string;
  completed_at: string | null;
  /** Seconds of run time, as Replicate metered it. */
  predict_time: number | null;
  requested_duration: number;
  unit_price: UnitPrice | null;
  /** Null while it runs; also after it, when no price is known, or no run time was metered of a model billed by it. */
  cost_usd: number | null;
  /** `aborted` predictions never ran and are not billed. Null while it runs. */
  billed: boolean | null;
  /** Found again in Replicate's list after an unclear create, instead of created anew. */
  adopted: boolean;
}

export interface UnitPrice {
  usd: number;
  per: 'second' | 'clip' | 'run_second';
  /** The day the price was read, YYYY-MM-DD. */
  as_of: string;
  source: string;
  /** Charged once in addition, for the files that it was given; absent where there is no such fee. */
  fee_usd?: number;
}

export interface Clip {
  clip_index: number;
  /** That makes it, or made it; only in jobs whose plan names fallback_models. */
  model?: string;
  status: ClipStatus;
  /** Only while it is `queued`. */
  waits_for?: Wait;
  attempt: number;
  max_attempts: number;
  next_attempt_at: string | null;
  prompt: string;
  target_duration: number;
  original_target_duration: number;
  /** As it is sent to the model; absent where none is. */
  seed?: number;
  requested_duration: number;
  buffer_strategy: BufferStrategy;
  /** Why this duration is requested, in a sentence. */
  duration_reason: string;
  actual_duration: number | null;
  /** actual − requested. */
  duration_diff: number | null;
  video_url: string | null;
  thumbnail_url: string | null;
  /** Only of clips whose references are made into one image; it is there from the clip's first start on. */
  composite_url?: string;
  estimated_cost_usd: number | null;
  /** The sum of what is known of its predictions; null while nothing is. */
  cost_usd: number | null;
  cost_increase_percent: number;
  retry_count: number;
  started_at: string | null;
  completed_at: string | null;
  /** From the first submission to the stored file. */
  generation_time: number | null;
  percent: number;
  /** In events of a clip with more than 20: the newest, and those that have changed. */
  predictions: Prediction[];
  error: Problem | null;
  metadata: Record<string, unknown>;
}

/** Why a clip that is not over does not run. */
export const WAITS = ['worker', 'rate', 'turn', 'clip'] as const;
/**
 * `worker`: it is scheduled and no worker has taken it; `rate`: the creates are limited; `turn`: clips before it come first;
 * `clip`: it needs what another clip makes.
 */
export type Wait = (typeof WAITS)[number];

export const TRUNCATIONS = ['prompts', 'metadata', 'reasons', 'errors', 'predictions'] as const;
/** By what is missing: how many clips (of `predictions`: how many of them) lack it or have it shortened. */
export type Truncated = Partial<Record<(typeof TRUNCATIONS)[number], number>>;

export interface Job {
  job_id: string;
  run_id: string;
  status: JobStatus;
  model: string;
  /** As the plan has it; absent where it says nothing. */
  quality?: Quality;
  /** The job whose finals these are. */
  draft_of?: string;
  /** Only of a draft: what its finals are expected to cost. */
  final_cost_usd?: number | null;
  /** As the plan has them. */
  labels: string[];
  /** True when the local simulator rendered this job: nothing in it was paid. */
  simulated: boolean;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  total_clips: number;
  successful_clips: number;
  failed_clips: number;
  canceled_clips: number;
  min_successful_clips: number;
  percent: number;
  estimated_cost_usd: number | null;
  /** The sum of what is known: the least that the job has cost where `unknown_costs` is above 0. */
  total_cost_usd: number;
  /** Predictions that were billed, or may have been, at a cost that is not known. */
  unknown_costs: number;
  max_cost_usd: number | null;
  cost_increase_percent: number;
  total_generation_time: number | null;
  /** The seq of the last event folded into this snapshot; 0 before the first. */
  seq: number;
  batch_size: number;
  dispatch: 'batches' | 'window';
  /** The newest ones: at most `MAX_WARNINGS`. */
  warnings: string[];
  /** How many there have been. */
  warnings_total: number;
  error: Problem | null;
  /** Only in answers of the workflow that had to be made smaller: how many of what were left out or shortened. */
  truncated?: Truncated;
  /** For the composer that follows: what is missing in length, and what to do about it. Once the job is over. */
  compensation?: Compensation;
  clips: Clip[];
}

/** A job keeps this many warnings; its events keep all. */
export const MAX_WARNINGS = 50;

export interface Progress {
  total: number;
  succeeded: number;
  failed: number;
  canceled: number;
  percent: number;
}

export const EVENT_TYPES = [
  'job.started',
  'batch.started',
  'clip.started',
  'clip.submitted',
  'clip.retrying',
  'clip.storing',
  'clip.completed',
  'clip.failed',
  'clip.canceled',
  'job.paused',
  'job.resumed',
  'job.warning',
  'job.completed',
  'job.failed',
  'job.canceled',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What every event carries; `seq` counts from 1 within the job, without gaps. */
interface EventBase {
  job_id: string;
  seq: number;
  at: string;
  progress: Progress;
}

/** What each event says, apart from its base. An event carries the whole clip as it is after it. */
export type JobFact =
  | {
      type: 'job.started';
      run_id: string;
      total_clips: number;
      model: string;
      estimated_cost_usd: number | null;
    }
  | { type: 'batch.started'; batch: number; batches: number; clip_indexes: number[] }
  | { type: ClipEventType; clip_index: number; clip: Clip }
  | { type: 'job.paused' }
  | { type: 'job.resumed' }
  | {
      type: 'job.warning';
      message: string;
      clip_index?: number;
      /** The clip of `clip_index`, still queued, waits for this now. */
      waits_for?: Wait;
      max_cost_usd?: number;
    }
  | ({ type: TerminalEventType } & JobEnd);

/** `unknown_costs`: only where there are any, and `total_cost_usd` is therefore the least it can be. */
export interface JobEnd {
  error: Problem | null;
  total_cost_usd: number;
  unknown_costs?: number;
}

export type ClipEventType = Extract<EventType, `clip.${string}`>;
export type TerminalEventType = 'job.completed' | 'job.failed' | 'job.canceled';

export type JobEvent = EventBase & JobFact;

/** Answer of query `clips`: clips in full, from a place in the job's list on; `next` is the place of the next page. */
export interface ClipPage {
  /** The seq of the job that these clips are of. */
  seq: number;
  clips: Clip[];
  next: number | null;
}

/** Answer of query `events`. */
export interface EventPage {
  events: JobEvent[];
  last_seq: number;
}
