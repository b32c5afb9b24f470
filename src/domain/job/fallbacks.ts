/** What a job does with the models that its plan names for when its own cannot make a clip. Pure, and part of the workflow bundle. */
import { isModelUnavailable, ruleOf } from './failure-kinds.js';
import type { Problem } from './job.schema.js';
import type { PlannedClip, ResolvedClip } from '../plan/resolved.js';

/** The plan's clips as they are planned on the model that takes over. */
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

/** May another model do better? Not where the input, the account or this machine is at fault. */
export const passesOn = (error: Problem): boolean =>
  ruleOf(error.kind).retry || isModelUnavailable(error);
