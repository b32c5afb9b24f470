/**
 * Every prediction of one clip, over all its rounds. A settled line is never unsettled, and no line is removed.
 * Pure bookkeeping in workflow state.
 */
import type { Prediction } from '../domain/job.js';
import { isTerminal } from '../domain/prediction.js';
import { addUsd } from '../domain/progress.js';

export class ClipLedger {
  /** Lines of earlier rounds, before `retryClip`. */
  readonly earlier: readonly Prediction[];
  #round: Prediction[] = [];

  constructor(earlier: readonly Prediction[]) {
    this.earlier = earlier;
  }

  /** Lines of this round of attempts. */
  get round(): readonly Prediction[] {
    return this.#round;
  }

  get all(): Prediction[] {
    return [...this.earlier, ...this.#round];
  }

  get cost(): number {
    return addUsd(...this.all.map(({ cost_usd }) => cost_usd));
  }

  /** Null as long as nothing is settled. */
  get knownCost(): number | null {
    return this.all.some(({ cost_usd }) => cost_usd !== null) ? this.cost : null;
  }

  /** Predictions that may still run at the provider. */
  get open(): Prediction[] {
    return this.#round.filter(({ status }) => !isTerminal(status));
  }

  /** Adds or updates a line; true when it is new. */
  enter(prediction: Prediction): boolean {
    const at = this.#round.findIndex(({ id }) => id === prediction.id);
    const before = this.#round[at];
    if (before === undefined) {
      this.#round = [...this.#round, prediction];
      return true;
    }
    if (!isTerminal(before.status)) {
      const { created_at } = before;
      const adopted = before.adopted || prediction.adopted;
      this.#round = this.#round.with(at, { ...prediction, created_at, adopted });
    }
    return false;
  }
}
