/**
 * The provider's clock, learned from the `Date` of its answers. All the provider's times (`created_at`, deadlines, the
 * `created_after` of a list) are by this clock, which may be hours from this machine's; a time of this machine is converted
 * here before it is compared with one of them.
 *
 * An answer says what the provider's clock was at some moment between request and answer, rounded down to the second. Each
 * answer narrows the range in which the difference of the clocks can lie.
 *
 * PROVIDER-CLOCK-1 When this machine's own clock has jumped (it was set, or the machine slept), the next answer counts as the
 *    first, and until it comes nothing is known.
 * PROVIDER-CLOCK-2 Clocks that may agree are taken to agree: where nothing is wrong nothing is converted.
 * PROVIDER-CLOCK-3 One answer that contradicts the others (from a cache, for example) is not believed before a second one
 *    agrees with it.
 */
import { instantOf } from '../network/retry-after.js';

export interface ProviderClock {
  /** Milliseconds since 1970, as the provider would say it; this machine's own until an answer was heard. */
  now(): number;
  /** Milliseconds, whole, by which it is ahead of this machine's clock; 0 when they may agree (PROVIDER-CLOCK-2). */
  readonly ahead: number;
  /** Milliseconds by which either may be off; infinite until an answer was heard (PROVIDER-CLOCK-1). */
  readonly error: number;
}

/** What one answer tells, and when (performance.now) it was asked for and came. */
interface Heard {
  date: string | null;
  /** Seconds for which a cache has kept the answer. */
  age: string | null;
  asked: number;
  answered: number;
}

/** Where the provider's clock minus this machine's lies, in milliseconds. */
interface Range {
  least: number;
  most: number;
}

const RESOLUTION = 1_000;
/** Milliseconds by which this machine's clock and its monotonic one may drift apart without a jump. */
const DRIFT = 5_000;
/** An answer that tells another century, or a time before this program was written, is wrong. */
const BELIEVABLE = [Date.UTC(2024, 0), Date.UTC(2100, 0)] as const;

const sinceStart = (): number => Date.now() - performance.now();

export class MeasuredClock implements ProviderClock {
  #range: Range | null = null;
  #contradiction: Range | null = null;
  /** This machine's clock minus its monotonic one, at the last answer. */
  #own = 0;

  hear({ date, age, asked, answered }: Heard): void {
    const said = instantOf(date);
    if (said === null || said < BELIEVABLE[0] || said > BELIEVABLE[1] || Number(age ?? 0) > 0)
      return;
    const own = sinceStart();
    const told = { least: said - answered - own, most: said + RESOLUTION - asked - own };
    this.#believe(this.#hasJumped ? null : this.#range, told);
    this.#own = own;
  }

  #believe(range: Range | null, told: Range): void {
    const both = meet(range ?? told, told);
    // PROVIDER-CLOCK-3
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
    const agrees = least <= RESOLUTION && most >= -RESOLUTION; // PROVIDER-CLOCK-2
    return agrees ? 0 : Math.round((least + most) / 2);
  }

  get error(): number {
    if (this.#range === null || this.#hasJumped) return Infinity; // PROVIDER-CLOCK-1
    return this.#range.most - this.#range.least + 2 * RESOLUTION;
  }
}

/** What both allow; null when they contradict each other. */
function meet(a: Range, b: Range): Range | null {
  const both = { least: Math.max(a.least, b.least), most: Math.min(a.most, b.most) };
  return both.least <= both.most ? both : null;
}
