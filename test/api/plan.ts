/** Plans as the real catalogue checks and resolves them. */
import { checkPlan } from '../../src/domain/plan/check-plan.schema.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import type { Checked, ResolvedPlan } from '../../src/domain/plan/resolved.js';

export const context = {
  catalogue: CATALOGUE,
  default_model: 'kwaivgi/kling-v2.5-turbo-pro',
  duration_buffer: 1.25,
};

export const check = (value: unknown): Checked => checkPlan(value, context);

export const planOf = (clips: number, more: Partial<Plan> = {}): Plan => ({
  clip_prompts: Array.from({ length: clips }, (_, clip_index) => ({
    clip_index,
    prompt: `a lighthouse, view ${String(clip_index)}`,
    duration: 5,
  })),
  ...more,
});

export function resolved(clips: number): { plan: Plan; resolved: ResolvedPlan } {
  const checked = check(planOf(clips));
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked;
}
