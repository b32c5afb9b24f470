/** The job before its first event: every clip queued, nothing spent. Pure; the only place that builds a Job. */
import { compositeLink } from '../references/clip-references.js';
import { MAX_WARNINGS } from './progress.js';
import type { Clip, Job } from './job.schema.js';
import { MAX_ATTEMPTS } from './retry-policy.js';
import type { ResolvedClip, ResolvedModel, ResolvedPlan } from '../plan/resolved.js';

interface JobIdentity {
  job_id: string;
  run_id: string;
  created_at: string;
  simulated: boolean;
}

export const initialClip = (clip: ResolvedClip): Clip => ({
  clip_index: clip.clip_index,
  status: 'queued',
  waits_for: 'turn',
  attempt: 0,
  max_attempts: MAX_ATTEMPTS,
  next_attempt_at: null,
  prompt: clip.prompt,
  target_duration: clip.target_duration,
  original_target_duration: clip.original_target_duration,
  ...(clip.seed === undefined ? {} : { seed: clip.seed }),
  requested_duration: clip.requested_duration,
  buffer_strategy: clip.buffer_strategy,
  duration_reason: clip.duration_reason,
  actual_duration: null,
  duration_diff: null,
  video_url: null,
  thumbnail_url: null,
  estimated_cost_usd: clip.estimated_cost_usd,
  cost_usd: null,
  cost_increase_percent: clip.cost_increase_percent,
  retry_count: 0,
  started_at: null,
  completed_at: null,
  generation_time: null,
  percent: 0,
  predictions: [],
  error: null,
  metadata: clip.metadata,
});

/** The clip after it moved to another model. */
export function plannedFor(
  jobId: string,
  { seed: _seed, composite_url: _composite, ...clip }: Clip,
  model: ResolvedModel,
  planned: ResolvedClip,
): Clip {
  return {
    ...clip,
    model: model.id,
    ...(planned.seed === undefined ? {} : { seed: planned.seed }),
    requested_duration: planned.requested_duration,
    buffer_strategy: planned.buffer_strategy,
    duration_reason: planned.duration_reason,
    estimated_cost_usd: planned.estimated_cost_usd,
    cost_increase_percent: planned.cost_increase_percent,
    ...compositeLink(jobId, planned),
  };
}

export function initialJob(resolved: ResolvedPlan, identity: JobIdentity): Job {
  return {
    ...emptyJob(identity),
    model: resolved.model.id,
    ...qualityOf(resolved),
    labels: [...resolved.labels],
    total_clips: resolved.clips.length,
    min_successful_clips: resolved.min_successful_clips,
    estimated_cost_usd: resolved.estimated_cost_usd,
    max_cost_usd: resolved.max_cost_usd,
    cost_increase_percent: resolved.cost_increase_percent,
    batch_size: resolved.batch_size,
    dispatch: resolved.dispatch,
    warnings: resolved.warnings.slice(-MAX_WARNINGS),
    warnings_total: resolved.warnings.length,
    clips: resolved.clips.map((clip) => ({
      ...initialClip(clip),
      ...(resolved.fallbacks === undefined ? {} : { model: resolved.model.id }),
      ...compositeLink(identity.job_id, clip),
    })),
  };
}

const qualityOf = ({
  quality,
  draft_of,
  final_cost_usd,
}: ResolvedPlan): Pick<Job, 'quality' | 'draft_of' | 'final_cost_usd'> => ({
  ...(quality === undefined ? {} : { quality }),
  ...(draft_of === undefined ? {} : { draft_of }),
  ...(quality === 'draft' && final_cost_usd !== undefined ? { final_cost_usd } : {}),
});

/** A job whose plan has not been checked yet. */
export const emptyJob = (identity: JobIdentity): Job => ({
  job_id: identity.job_id,
  run_id: identity.run_id,
  status: 'queued',
  model: '',
  labels: [],
  simulated: identity.simulated,
  created_at: identity.created_at,
  started_at: null,
  completed_at: null,
  total_clips: 0,
  successful_clips: 0,
  failed_clips: 0,
  canceled_clips: 0,
  min_successful_clips: 0,
  percent: 0,
  estimated_cost_usd: null,
  total_cost_usd: 0,
  unknown_costs: 0,
  max_cost_usd: null,
  cost_increase_percent: 0,
  total_generation_time: null,
  seq: 0,
  batch_size: 5,
  dispatch: 'batches',
  warnings: [],
  warnings_total: 0,
  error: null,
  clips: [],
});
