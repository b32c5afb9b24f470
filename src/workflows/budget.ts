/**
 * What a job may spend, over the books of its clips.
 *
 * B1 spent + held ≤ cap before every paid call: an attempt holds its estimate before it may create, and gives it back when
 *    its prediction is settled.
 */
import { addUsd } from '../domain/values/decimal.js';
import type { ClipBook } from './clip-state.js';

export class Budget {
  cap: number | null;
  readonly #books: ReadonlyMap<number, ClipBook>;

  constructor(cap: number | null, books: ReadonlyMap<number, ClipBook>) {
    this.cap = cap;
    this.#books = books;
  }

  get spent(): number {
    return addUsd(...[...this.#books.values()].map(({ spent }) => spent));
  }

  /** Not all of it may be known: what counts with its estimate is not told as a fact. */
  get spentInWords(): string {
    const isKnown = [...this.#books.values()].every(({ isCostKnown }) => isCostKnown);
    const estimates = isKnown ? '' : ', unknown costs counted with their estimates';
    return `${String(this.spent)} is spent${estimates}`;
  }

  /** How many of these clips could be paid from what is neither spent nor held. */
  affordable(clipIndexes: readonly number[]): number {
    if (this.cap === null) return clipIndexes.length;
    let sum = this.spent;
    for (const book of this.#books.values()) if (book.isHeld) sum = addUsd(sum, book.estimate);
    const books = clipIndexes.flatMap((index) => this.#books.get(index) ?? []);
    const priced = books.filter(({ left }) => left === null);
    const cheapestFirst = priced.map(({ estimate }) => estimate).sort((a, b) => a - b);
    const cap = addUsd(this.cap);
    const first = cheapestFirst.findIndex((usd) => (sum = addUsd(sum, usd)) > cap);
    return books.length - priced.length + (first < 0 ? priced.length : first);
  }

  /** True when the money of one more prediction is held now. */
  reserve(book: ClipBook): boolean {
    book.release();
    if (this.affordable([book.index]) < 1) return false;
    book.hold();
    return true;
  }
}
