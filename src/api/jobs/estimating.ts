/** Estimates and comparisons, one model per turn on the event loop, given up when the client disconnects. */
import { cheapest, everyAlternative } from '../../domain/pricing/alternatives.js';
import type { Alternative, Comparison, Estimate } from '../../domain/pricing/estimate.schema.js';
import { checkShape } from '../../domain/plan/check-plan.schema.js';
import { everyComparison, ranked } from '../../domain/pricing/compare-models.js';
import { estimateOf } from '../../domain/pricing/estimate.js';
import type { Plan } from '../../domain/plan/plan.schema.js';
import type { PlanContext } from '../../domain/plan/resolve.js';
import type { ResolvedPlan } from '../../domain/plan/resolved.js';
import { invalid } from '../problems.js';
import type { NextTurn } from '../load/event-loop-turns.js';

export interface Turns {
  turn: NextTurn;
  /** Throws once the client has disconnected. */
  throwIfAbandoned: () => void;
}

export type MakeEstimate = (plan: Plan, resolved: ResolvedPlan, turns: Turns) => Promise<Estimate>;

export const estimating =
  (context: PlanContext): MakeEstimate =>
  async (plan, resolved, { turn, throwIfAbandoned }) => {
    const found: (Alternative | null)[] = [];
    for (const item of everyAlternative(plan, resolved, context)) {
      found.push(item);
      await turn();
      throwIfAbandoned();
    }
    return estimateOf(resolved, cheapest(found));
  };

export type Compare = (body: unknown, turns: Turns) => Promise<Comparison[]>;

/** Throws an HttpProblem, 400, for a plan that no model can make. */
export const comparing =
  (context: PlanContext): Compare =>
  async (body, { turn, throwIfAbandoned }) => {
    const checked = checkShape(body);
    if (!checked.ok) throw invalid(checked.problems);
    const found: Comparison[] = [];
    for (const item of everyComparison(checked.plan, context)) {
      found.push(item);
      await turn();
      throwIfAbandoned();
    }
    return ranked(found);
  };
