/** Clips that move to one of the plan's `fallback_models`. Pure, and part of the workflow bundle. */
import { isModelUnavailable, ruleOf } from './failure-kinds.js';
import type { Problem } from './job.schema.js';
import type { PlannedClip, ResolvedClip } from '../plan/resolved.js';

/** The plan's clips as planned on the fallback model. */
export function clipsOn(
  own: readonly ResolvedClip[],
  planned: readonly PlannedClip[],
): ResolvedClip[] {
  const plans = new Map(planned.map((clip) => [clip.clip_index, clip]));
  return own.flatMap(
    ({
      clip_index,
      prompt,
      negative_prompt,
      metadata,
      target_duration,
      original_target_duration,
    }) => {
      const clip = plans.get(clip_index);
      const wanted = {
        prompt,
        negative_prompt,
        metadata,
        target_duration,
        original_target_duration,
      };
      return clip === undefined ? [] : [{ ...wanted, ...clip }];
    },
  );
}

/** Can another model succeed? Not where the input, the account or this machine is at fault. */
export const allowsFallback = (error: Problem): boolean =>
  ruleOf(error.kind).retry || isModelUnavailable(error);
