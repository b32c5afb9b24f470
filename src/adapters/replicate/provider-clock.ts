/**
 * The provider's clock, learned from the `Date` of its answers. Everything of the provider's (`created_at`, deadlines,
 * the `created_after` of a list) is by this clock, which may be hours from ours; a time of ours that meets one of its is
 * converted here first.
 *
 * An answer says where the provider's clock was at some moment between request and answer, rounded down to the second.
 * Each narrows the range that the difference of the clocks can lie in.
 *
 * K1 When this machine's own clock has jumped (it was set, or the machine slept), the next answer counts as the first,
 *    and until it comes nothing is known.
 * K2 Clocks that may agree are taken to agree: where nothing is wrong nothing is converted.
 * K3 One answer that contradicts the others (a cache's, say) is not believed before a second one agrees with it.
 */
import { instantOf } from '../network/retry-after.js';

export interface ProviderClock {
  /** Milliseconds since 1970, as the provider would say it; this machine's own until an answer was heard. */
  now(): number;
  /** Milliseconds, whole, by which it is ahead of this machine's clock; 0 when they may agree (K2). */
  readonly ahead: number;
  /** Milliseconds by which either may be off; infinite until an answer was heard (K1). */
  readonly error: number;
}

/** What one answer tells, with the moments (performance.now) at which it was asked for and came. */
export interface Heard {
  date: string | null;
  /** Seconds for which a cache has kept the answer. */
  age: string | null;
  asked: number;
  answered: number;
}

/** Of the provider's clock minus this machine's, in milliseconds. */
interface Range {
  least: number;
  most: number;
}

const RESOLUTION = 1_000;
/** Milliseconds by which this machine's clock and its monotonic one may drift apart without a jump. */
const DRIFT = 5_000;
/** Nothing that answers today says another century, or a time before this program was written. */
const SANE = [Date.UTC(2024, 0), Date.UTC(2100, 0)] as const;

const sinceStart = (): number => Date.now() - performance.now();

export class MeasuredClock implements ProviderClock {
  #range: Range | null = null;
  #contradiction: Range | null = null;
  /** This machine's clock minus its monotonic one, at the last answer. */
  #own = 0;

  hear({ date, age, asked, answered }: Heard): void {
    const said = instantOf(date);
    if (said === null || said < SANE[0] || said > SANE[1] || Number(age ?? 0) > 0) return;
    const own = sinceStart();
    const told = { least: said - answered - own, most: said + RESOLUTION - asked - own };
    this.#believe(this.#hasJumped ? null : this.#range, told);
    this.#own = own;
  }

  #believe(range: Range | null, told: Range): void {
    const both = meet(range ?? told, told);
    // K3
    const again =
      both === null && this.#contradiction !== null ? meet(this.#contradiction, told) : both;
    if (again !== null) this.#range = again;
    this.#contradiction = again === null ? told : null;
  }

  get #hasJumped(): boolean {
    return Math.abs(sinceStart() - this.#own) > DRIFT;
  }

  now(): number {
    return Date.now() + this.ahead;
  }

  get ahead(): number {
    if (this.#range === null) return 0;
    const { least, most } = this.#range;
    const agrees = least <= RESOLUTION && most >= -RESOLUTION; // K2
    return agrees ? 0 : Math.round((least + most) / 2);
  }

  get error(): number {
    if (this.#range === null || this.#hasJumped) return Infinity; // K1
    return this.#range.most - this.#range.least + 2 * RESOLUTION;
  }
}

/** What both allow; null when they contradict each other. */
function meet(a: Range, b: Range): Range | null {
  const both = { least: Math.max(a.least, b.least), most: Math.min(a.most, b.most) };
  return both.least <= both.most ? both : null;
}
