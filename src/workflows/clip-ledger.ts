/**
 * Every prediction of one clip, over all its rounds. A settled line is never unsettled, and no line is removed.
 * Pure bookkeeping in workflow state.
 */
import type { Prediction } from '../domain/job.js';
import { isTerminal } from '../domain/prediction.js';
import { addUsd } from '../domain/decimal.js';

export class ClipLedger {
  #lines: Prediction[];
  /** How many lines are of earlier rounds, before `retryClip` or a retried job. */
  #before: number;

  constructor(earlier: readonly Prediction[]) {
    this.#lines = [...earlier];
    this.#before = earlier.length;
  }

  get all(): readonly Prediction[] {
    return this.#lines;
  }

  get earlier(): readonly Prediction[] {
    return this.#lines.slice(0, this.#before);
  }

  /** Lines of this round of attempts. */
  get round(): readonly Prediction[] {
    return this.#lines.slice(this.#before);
  }

  /** Null as long as nothing is settled. */
  get knownCost(): number | null {
    const known = this.#lines.filter(({ cost_usd }) => cost_usd !== null);
    return known.length === 0 ? null : addUsd(...known.map(({ cost_usd }) => cost_usd));
  }

  /** Predictions that may still run at the provider. */
  get open(): Prediction[] {
    return this.#lines.filter(({ status }) => !isTerminal(status));
  }

  isOpen(id: string): boolean {
    return this.open.some((line) => line.id === id);
  }

  /** The one that this attempt may still run. */
  openOf(attempt: number): Prediction | null {
    return (
      this.round.findLast((line) => line.attempt === attempt && !isTerminal(line.status)) ?? null
    );
  }

  /** One of an earlier round that still runs is the first attempt of this round; false when it has ended. */
  goOnWith(id: string): boolean {
    const at = this.#lines.findIndex((line) => line.id === id);
    const line = this.#lines[at];
    if (line === undefined || isTerminal(line.status)) return false;
    this.#lines = [...this.#lines.toSpliced(at, 1), { ...line, attempt: 1 }];
    this.#before -= 1;
    return true;
  }

  /** Adds or updates a line; true when it is new. */
  enter(prediction: Prediction): boolean {
    const at = this.#lines.findIndex(({ id }) => id === prediction.id);
    const before = this.#lines[at];
    if (before === undefined) {
      this.#lines = [...this.#lines, prediction];
      return true;
    }
    if (!isTerminal(before.status)) {
      const { created_at } = before;
      const adopted = before.adopted || prediction.adopted;
      this.#lines = this.#lines.with(at, { ...prediction, created_at, adopted });
    }
    return false;
  }
}
