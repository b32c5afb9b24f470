/** Plans for tests, with everything that they do not name by default. */
import type { Plan } from '../../src/domain/plan/plan.schema.js';

/** A clip for each prompt, of which one has to succeed. */
export const planOf = (prompts: readonly string[], more: Partial<Plan> = {}): Plan => ({
  min_successful_clips: 1,
  clip_prompts: prompts.map((prompt, clip_index) => ({ clip_index, prompt, duration: 5 })),
  ...more,
});

/** So many clips. */
export const planWith = (clips: number, more: Partial<Plan> = {}): Plan => ({
  clip_prompts: Array.from({ length: clips }, (_, clip_index) => ({
    clip_index,
    prompt: `a lighthouse, view ${String(clip_index)}`,
    duration: 5,
  })),
  ...more,
});
