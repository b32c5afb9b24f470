/** Estimates made in turns: one model a turn, and none once the asker has left. */
import { cheapest, everyAlternative, type Alternative } from '../domain/alternatives.js';
import { estimateOf, type Estimate } from '../domain/estimate.js';
import type { Plan } from '../domain/plan.schema.js';
import type { PlanContext } from '../domain/resolve.js';
import type { ResolvedPlan } from '../domain/resolved.js';
import type { TakeTurn } from './turns.js';

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
