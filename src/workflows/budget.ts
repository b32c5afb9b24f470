/**
 * What a job may spend. Pure bookkeeping in workflow state.
 *
 * B1 spent + reserved ≤ cap before every paid call: an attempt reserves its estimate before it may create,
 *    and gives it back when its prediction is settled in the ledger.
 */
import { addUsd } from '../domain/progress.js';

export class Budget {
  cap: number | null;
  readonly #reserved = new Map<number, number>();
  readonly #spent: () => number;

  constructor(cap: number | null, spent: () => number) {
    this.cap = cap;
    this.#spent = spent;
  }

  fits(usd: number | null): boolean {
    if (this.cap === null) return true;
    return addUsd(this.#spent(), ...this.#reserved.values(), usd) <= addUsd(this.cap);
  }

  /** One reservation a clip: it has at most one prediction alive. */
  reserve(clipIndex: number, usd: number | null): boolean {
    this.#reserved.delete(clipIndex);
    if (!this.fits(usd)) return false;
    this.#reserved.set(clipIndex, usd ?? 0);
    return true;
  }

  release(clipIndex: number): void {
    this.#reserved.delete(clipIndex);
  }
}
