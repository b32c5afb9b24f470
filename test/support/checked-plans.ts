/** Plans as the API checks them, with the default model and buffer of a new installation. */
import { CATALOGUE } from '../../src/domain/models/index.js';
import { checkPlan, type PlanContext } from '../../src/domain/plan/check-plan.schema.js';
import type { PlanProblem } from '../../src/domain/plan/plan-problems.schema.js';
import type { Checked } from '../../src/domain/plan/resolved.js';
import { ALIVE } from '../domain/models/rows.js';

export const CONTEXT: PlanContext = {
  catalogue: CATALOGUE,
  default_model: 'kwaivgi/kling-v2.5-turbo-pro',
  duration_buffer: 1.25,
};

export const ALIVE_CONTEXT: PlanContext = { ...CONTEXT, catalogue: ALIVE };

/** Throws the problems of a plan that has some. */
export function accepted(
  value: unknown,
  context: PlanContext = ALIVE_CONTEXT,
): Extract<Checked, { ok: true }> {
  const checked = checkPlan(value, context);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked;
}

export function problemsOf(value: unknown, context: PlanContext = ALIVE_CONTEXT): PlanProblem[] {
  const checked = checkPlan(value, context);
  return checked.ok ? [] : checked.problems;
}
