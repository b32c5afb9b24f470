/**
 * What a job may spend, summed over its clips.
 *
 * BUDGET-1 spent + reserved ≤ cap before every paid call: an attempt reserves its estimate before it may create a prediction,
 *    and gives it back when the prediction is settled.
 */
import { addUsd } from '../domain/values/decimal.js';
import type { ClipState } from './clip-state.js';

export class Budget {
  cap: number | null;
  readonly #clips: ReadonlyMap<number, ClipState>;

  constructor(cap: number | null, clips: ReadonlyMap<number, ClipState>) {
    this.cap = cap;
    this.#clips = clips;
  }

  get spent(): number {
    return addUsd(...[...this.#clips.values()].map(({ spent }) => spent));
  }

  /** The sum in words, which say whether a part of it is an estimate. */
  get spentInWords(): string {
    const isKnown = [...this.#clips.values()].every(({ isCostKnown }) => isCostKnown);
    const estimates = isKnown ? '' : ', unknown costs counted with their estimates';
    return `${String(this.spent)} is spent${estimates}`;
  }

  /** How many of these clips could be paid from what is neither spent nor reserved. */
  affordable(clipIndexes: readonly number[]): number {
    if (this.cap === null) return clipIndexes.length;
    let sum = this.spent;
    for (const clip of this.#clips.values()) if (clip.isReserved) sum = addUsd(sum, clip.estimate);
    const clips = clipIndexes.flatMap((index) => this.#clips.get(index) ?? []);
    // What a clip carries over is paid for already.
    const priced = clips.filter(({ carriedOver }) => carriedOver === null);
    const cheapestFirst = priced.map(({ estimate }) => estimate).sort((a, b) => a - b);
    const cap = addUsd(this.cap);
    const first = cheapestFirst.findIndex((usd) => (sum = addUsd(sum, usd)) > cap);
    return clips.length - priced.length + (first < 0 ? priced.length : first);
  }

  /** Reserves the money of one more prediction, in place of what the clip has reserved; false where it does not fit the cap. */
  reserve(clip: ClipState): boolean {
    clip.release();
    if (this.affordable([clip.index]) < 1) return false;
    clip.reserve();
    return true;
  }
}
