/**
 * What a job may spend. Pure bookkeeping in workflow state.
 *
 * B1 spent + reserved ≤ cap before every paid call: an attempt reserves its estimate before it may create,
 *    and gives it back when its prediction is settled in the ledger.
 * B2 What nobody knows the cost of counts with its estimate, never as nothing.
 */
import type { Prediction } from '../domain/job.js';
import { isTerminal } from '../domain/prediction.js';
import { addUsd } from '../domain/progress.js';

/** A clip, with what one prediction of it is expected to cost and every prediction it has had. */
export interface Account {
  clip_index: number;
  estimated_cost_usd: number | null;
  predictions: readonly Prediction[];
}

export class Budget {
  cap: number | null;
  readonly #reserved = new Set<number>();
  readonly #accounts: () => readonly Account[];

  constructor(cap: number | null, accounts: () => readonly Account[]) {
    this.cap = cap;
    this.#accounts = accounts;
  }

  /** B2: one that runs has its estimate reserved, unless nobody waits for it any more. */
  get spent(): number {
    const costs = this.#accounts().flatMap(({ clip_index, estimated_cost_usd, predictions }) =>
      predictions.map(({ cost_usd, status }) => {
        const isCovered = this.#reserved.has(clip_index) && !isTerminal(status);
        return cost_usd ?? (isCovered ? 0 : estimated_cost_usd);
      }),
    );
    return addUsd(...costs);
  }

  fits(clipIndex: number): boolean {
    return this.affordable([clipIndex]) === 1;
  }

  /** How many of these clips could be paid from what is neither spent nor reserved. */
  affordable(clipIndexes: readonly number[]): number {
    if (this.cap === null) return clipIndexes.length;
    const accounts = new Map(this.#accounts().map((account) => [account.clip_index, account]));
    const estimate = (index: number): number => accounts.get(index)?.estimated_cost_usd ?? 0;
    let sum = addUsd(this.spent, ...[...this.#reserved].map(estimate));
    const cheapestFirst = clipIndexes.map(estimate).sort((a, b) => a - b);
    const cap = addUsd(this.cap);
    const first = cheapestFirst.findIndex((usd) => (sum = addUsd(sum, usd)) > cap);
    return first < 0 ? clipIndexes.length : first;
  }

  /** One reservation a clip: it has at most one prediction alive. */
  reserve(clipIndex: number): boolean {
    this.#reserved.delete(clipIndex);
    if (!this.fits(clipIndex)) return false;
    this.#reserved.add(clipIndex);
    return true;
  }

  release(clipIndex: number): void {
    this.#reserved.delete(clipIndex);
  }
}
