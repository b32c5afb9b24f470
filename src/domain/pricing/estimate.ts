/**
 * What a job would request and cost, and how long it would take, without starting it: POST /v1/jobs/estimate. Pure.
 * Money and lengths are those of the resolved plan, so an estimate and the job that follows cannot differ.
 */
import type { Alternative, ClipEstimate, Estimate, Makespan } from './estimate.schema.js';
import { sumUsd, total } from '../values/decimal.js';
import type { ResolvedClip, ResolvedPlan } from '../plan/resolved.js';

/** With a barrier after every batch, the slowest clip of each decides. */
function batchTime(times: readonly number[], size: number): number {
  let sum = 0;
  for (let start = 0; start < times.length; start += size) {
    sum += Math.max(...times.slice(start, start + size));
  }
  return sum;
}

/** Without a barrier, each clip starts as soon as a slot is free. */
function windowTime(times: readonly number[], size: number): number {
  const free = Array.from({ length: Math.min(size, times.length) }, () => 0);
  for (const time of times) {
    const earliest = free.indexOf(Math.min(...free));
    free[earliest] = (free[earliest] ?? 0) + time;
  }
  return Math.max(0, ...free);
}

const makespanOf = (resolved: ResolvedPlan): Makespan => {
  const times = resolved.clips.map((clip) => clip.usual_time);
  return {
    batches: total([batchTime(times, resolved.batch_size)]),
    window: total([windowTime(times, resolved.batch_size)]),
  };
};

const clipEstimate = (clip: ResolvedClip): ClipEstimate => ({
  clip_index: clip.clip_index,
  target_duration: clip.target_duration,
  original_target_duration: clip.original_target_duration,
  requested_duration: clip.requested_duration,
  buffer_strategy: clip.buffer_strategy,
  duration_reason: clip.duration_reason,
  estimated_cost_usd: clip.estimated_cost_usd,
  cost_increase_percent: clip.cost_increase_percent,
  usual_time: clip.usual_time,
  input: clip.input,
  composite: clip.composite ?? null,
});

export function estimateOf(
  resolved: ResolvedPlan,
  alternatives: readonly Alternative[] = [],
): Estimate {
  const { clips, draft_cost_usd: draft, final_cost_usd: final } = resolved;
  return {
    model: resolved.model.id,
    total_clips: clips.length,
    min_successful_clips: resolved.min_successful_clips,
    target_duration: total(clips.map((clip) => clip.target_duration)),
    requested_duration: total(clips.map((clip) => clip.requested_duration)),
    estimated_cost_usd: resolved.estimated_cost_usd,
    unbuffered_cost_usd: sumUsd(clips.map((clip) => clip.unbuffered_cost_usd ?? null)),
    ...(draft === undefined ? {} : { draft_cost_usd: draft }),
    ...(final === undefined ? {} : { final_cost_usd: final }),
    cost_increase_percent: resolved.cost_increase_percent,
    max_cost_usd: resolved.max_cost_usd,
    dispatch: resolved.dispatch,
    batch_size: resolved.batch_size,
    makespan: makespanOf(resolved),
    ...fallbacksOf(resolved),
    alternatives: [...alternatives],
    warnings: [...resolved.warnings],
    clips: clips.map(clipEstimate),
  };
}

const fallbacksOf = ({ fallbacks }: ResolvedPlan): Pick<Estimate, 'fallbacks'> =>
  fallbacks === undefined
    ? {}
    : {
        fallbacks: fallbacks.map(({ model, estimated_cost_usd }) => ({
          model: model.id,
          estimated_cost_usd,
        })),
      };
