/**
 * Random numbers that can be repeated: the same seed gives the same numbers in the same order, on every machine.
 * Pure. Not for secrets. The generator is mulberry32 (Tommy Ettinger, public domain).
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.trunc(seed) >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Both ends included. */
  integer(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.integer(0, items.length - 1)] ?? items[0];
  }

  /** Picks by weight; weights need not add up to anything. */
  weighted<T>(rows: readonly [Weighted<T>, ...Weighted<T>[]]): T {
    let left = this.next() * rows.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, value } of rows) {
      left -= weight;
      if (left < 0) return value;
    }
    return rows[0].value;
  }
}

interface Weighted<T> {
  weight: number;
  value: T;
}
