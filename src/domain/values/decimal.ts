/**
 * Rounds binary floats to decimals: plans have decimals, and 8.3 − 3.3 is 5.000000000000001 as a float. Every number of a
 * plan is rounded once, when the plan is parsed, and so is every sum and product that is compared with a limit. Pure.
 */

const DIGITS = 6;

/**
 * Rounds to `digits` after the point; the default is microseconds of a length, millionths of a dollar. A number too large to
 * have such digits is unchanged. Zero is never negative.
 */
export function decimal(value: number, digits = DIGITS): number {
  const unit = 10 ** digits;
  const units = value * unit;
  return Math.abs(units) < Number.MAX_SAFE_INTEGER ? Math.round(units) / unit + 0 : value;
}

/** Do two lengths or amounts differ by more than `max`, as decimals? */
export const differsByMore = (one: number, other: number, max: number): boolean =>
  decimal(Math.abs(one - other)) > decimal(max);

/** Dollars, to the millionth. */
export const roundUsd = (usd: number): number => decimal(usd);

/** The sum of the known amounts. */
export const addUsd = (...amounts: readonly (number | null)[]): number =>
  roundUsd(amounts.reduce<number>((sum, usd) => sum + (usd ?? 0), 0));

/** The sum, or null when an amount is unknown. */
export const sumUsd = (amounts: readonly (number | null)[]): number | null =>
  amounts.includes(null) ? null : addUsd(...amounts);

export const total = (numbers: readonly number[]): number =>
  decimal(numbers.reduce((sum, number) => sum + number, 0));
