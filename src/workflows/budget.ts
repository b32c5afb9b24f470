/**
 * What a job may spend. Pure bookkeeping in workflow state.
 *
 * B1 spent + reserved ≤ cap before every paid call: an attempt reserves its estimate before it may create,
 *    and gives it back when its prediction is settled in the ledger.
 * B2 What nobody knows the cost of counts with its estimate, never as nothing: a prediction that still runs though
 *    nobody waits for it, and one that may have been created and could not be looked for.
 */
import type { Prediction } from '../domain/job.js';
import { isTerminal } from '../domain/prediction.js';
import { addUsd } from '../domain/decimal.js';

/** A clip, with what one prediction of it is expected to cost and every prediction it has had. */
export interface Account {
  clip_index: number;
  estimated_cost_usd: number | null;
  predictions: readonly Prediction[];
  /** A prediction that its next start goes on with: it costs nothing more. */
  left: string | null;
}

export class Budget {
  cap: number | null;
  /** By clip: the predictions that it had when the reservation was made, and that the reservation does not stand for. */
  readonly #reserved = new Map<number, ReadonlySet<string>>();
  /** Clips with a prediction that nobody knows of. */
  readonly #unknown: number[] = [];
  readonly #accounts: () => readonly Account[];

  constructor(cap: number | null, accounts: () => readonly Account[]) {
    this.cap = cap;
    this.#accounts = accounts;
  }

  /** B2 */
  get spent(): number {
    const accounts = this.#accounts();
    const costs = accounts.flatMap(({ clip_index, estimated_cost_usd, predictions }) =>
      predictions.map(({ id, cost_usd, status }) => {
        const isCovered = !isTerminal(status) && this.#reserved.get(clip_index)?.has(id) === false;
        return cost_usd ?? (isCovered ? 0 : estimated_cost_usd);
      }),
    );
    const estimate = estimatesIn(accounts);
    return addUsd(...costs, ...this.#unknown.map(estimate));
  }

  /** Not all of it may be known: what counts with its estimate (B2) is not told as a fact. */
  get spentInWords(): string {
    const lines = this.#accounts().flatMap(({ predictions }) => predictions);
    const isKnown = this.#unknown.length === 0 && lines.every(({ cost_usd }) => cost_usd !== null);
    const estimates = isKnown ? '' : ', unknown costs counted with their estimates';
    return `${String(this.spent)} is spent${estimates}`;
  }

  fits(clipIndex: number): boolean {
    return this.affordable([clipIndex]) === 1;
  }

  /** How many of these clips could be paid from what is neither spent nor reserved. */
  affordable(clipIndexes: readonly number[]): number {
    if (this.cap === null) return clipIndexes.length;
    const accounts = this.#accounts();
    const estimate = estimatesIn(accounts);
    const free = new Set(accounts.flatMap((one) => (one.left === null ? [] : [one.clip_index])));
    let sum = addUsd(this.spent, ...[...this.#reserved.keys()].map(estimate));
    const priced = clipIndexes.filter((index) => !free.has(index));
    const cheapestFirst = priced.map(estimate).sort((a, b) => a - b);
    const cap = addUsd(this.cap);
    const first = cheapestFirst.findIndex((usd) => (sum = addUsd(sum, usd)) > cap);
    return clipIndexes.length - priced.length + (first < 0 ? priced.length : first);
  }

  /** One reservation a clip: it has at most one prediction alive. */
  reserve(clipIndex: number): boolean {
    this.#reserved.delete(clipIndex);
    if (!this.fits(clipIndex)) return false;
    const account = this.#accounts().find(({ clip_index }) => clip_index === clipIndex);
    const had = account?.predictions.map(({ id }) => id).filter((id) => id !== account.left);
    this.#reserved.set(clipIndex, new Set(had));
    return true;
  }

  release(clipIndex: number): void {
    this.#reserved.delete(clipIndex);
  }

  /** A create of this clip may have come through, and nobody could find out: it counts for good. */
  countUnknown(clipIndex: number): void {
    this.#unknown.push(clipIndex);
  }
}

function estimatesIn(accounts: readonly Account[]): (clipIndex: number) => number {
  const known = new Map(
    accounts.map(({ clip_index, estimated_cost_usd }) => [clip_index, estimated_cost_usd]),
  );
  return (clipIndex) => known.get(clipIndex) ?? 0;
}
