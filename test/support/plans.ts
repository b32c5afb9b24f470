/** Plans for scenarios: a clip a prompt, everything else by default. */
import type { Plan } from '../../src/domain/plan/plan.schema.js';

export const planOf = (prompts: readonly string[], more: Partial<Plan> = {}): Plan => ({
  min_successful_clips: 1,
  clip_prompts: prompts.map((prompt, clip_index) => ({ clip_index, prompt, duration: 5 })),
  ...more,
});
