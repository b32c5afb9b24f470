/** A plan that fits its model, resolved; throws its problems where it does not fit. */
import type { Plan } from '../../../src/domain/plan/plan.schema.js';
import { resolve, type PlanContext } from '../../../src/domain/plan/resolve.js';
import type { ResolvedPlan } from '../../../src/domain/plan/resolved.js';

export function resolvePlan(plan: Plan, context: PlanContext): ResolvedPlan {
  const { resolved, problems } = resolve(plan, context);
  if (resolved !== null && problems.length === 0) return resolved;
  throw new Error(problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
}
