/** Estimates and comparisons made in turns: one model a turn, and none once the asker has left. */
import { cheapest, everyAlternative } from '../../domain/pricing/alternatives.js';
import type { Alternative, Comparison, Estimate } from '../../domain/pricing/estimate.schema.js';
import { checkShape } from '../../domain/plan/check-plan.schema.js';
import { everyComparison, ranked } from '../../domain/pricing/compare-models.js';
import { estimateOf } from '../../domain/pricing/estimate.js';
import type { Plan } from '../../domain/plan/plan.schema.js';
import type { PlanContext } from '../../domain/plan/resolve.js';
import type { ResolvedPlan } from '../../domain/plan/resolved.js';
import { invalid } from '../problems.js';
import type { TakeTurn } from '../load/event-loop-turns.js';

export interface InTurns {
  turn: TakeTurn;
  /** Throws when the answer is not wanted any more. */
  stillWanted: () => void;
}

export type MakeEstimate = (
  plan: Plan,
  resolved: ResolvedPlan,
  inTurns: InTurns,
) => Promise<Estimate>;

export const estimating =
  (context: PlanContext): MakeEstimate =>
  async (plan, resolved, { turn, stillWanted }) => {
    const found: (Alternative | null)[] = [];
    for (const item of everyAlternative(plan, resolved, context)) {
      found.push(item);
      await turn();
      stillWanted();
    }
    return estimateOf(resolved, cheapest(found));
  };

export type Compare = (body: unknown, inTurns: InTurns) => Promise<Comparison[]>;

/** Throws an HttpProblem, 400, for what no model could make. */
export const comparing =
  (context: PlanContext): Compare =>
  async (body, { turn, stillWanted }) => {
    const checked = checkShape(body);
    if (!checked.ok) throw invalid(checked.problems);
    const found: Comparison[] = [];
    for (const item of everyComparison(checked.plan, context)) {
      found.push(item);
      await turn();
      stillWanted();
    }
    return ranked(found);
  };
