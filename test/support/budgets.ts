/** Books of clips as a job has them when it begins, for tests of money. */
import type { Clip, Prediction } from '../../src/domain/job/job.schema.js';
import { Budget } from '../../src/workflows/budget.js';
import { ClipBook } from '../../src/workflows/clip-state.js';

interface Account {
  clip_index: number;
  usd: number;
  predictions?: Partial<Prediction>[];
  /** Seconds for which what an earlier run has left may still run. */
  left_for?: number;
}

export function budgetOf(cap: number | null, accounts: readonly Account[]) {
  const books = new Map(
    accounts.map(({ clip_index, usd, predictions = [], left_for = null }) => [
      clip_index,
      new ClipBook(
        { clip_index, estimated_cost_usd: usd, predictions } as unknown as Clip,
        left_for,
      ),
    ]),
  );
  const budget = new Budget(cap, books);
  const book = (index: number): ClipBook => {
    const found = books.get(index);
    if (found === undefined) throw new Error(`no clip ${String(index)}`);
    return found;
  };
  return {
    budget,
    book,
    fits: (index: number) => budget.affordable([index]) === 1,
    reserve: (index: number) => budget.reserve(book(index)),
  };
}
