/** The clips of a job as it has them when it begins, for tests of money. */
import type { Clip, Prediction } from '../../src/domain/job/job.schema.js';
import { Budget } from '../../src/workflows/budget.js';
import { ClipState } from '../../src/workflows/clip-state.js';

interface Account {
  clip_index: number;
  usd: number;
  predictions?: Partial<Prediction>[];
  /** Seconds for which a prediction of an earlier run may still run. */
  carry_over_for?: number;
}

export function budgetOf(cap: number | null, accounts: readonly Account[]) {
  const clips = new Map(
    accounts.map(({ clip_index, usd, predictions = [], carry_over_for = null }) => [
      clip_index,
      new ClipState(
        { clip_index, estimated_cost_usd: usd, predictions } as unknown as Clip,
        carry_over_for,
      ),
    ]),
  );
  const budget = new Budget(cap, clips);
  const clip = (index: number): ClipState => {
    const found = clips.get(index);
    if (found === undefined) throw new Error(`no clip ${String(index)}`);
    return found;
  };
  return {
    budget,
    clip,
    fits: (index: number) => budget.affordable([index]) === 1,
    reserve: (index: number) => budget.reserve(clip(index)),
  };
}
