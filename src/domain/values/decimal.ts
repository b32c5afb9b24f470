/**
 * Decimal numbers out of binary ones. People and planners write decimals; 8.3 − 3.3 is 5.000000000000001 in a float.
 * Every number of a plan is rounded here once, where it comes in, and so is every sum and product that is compared
 * with a limit. Pure.
 */

const DIGITS = 6;

/**
 * To so many digits after the point: by default microseconds of a length, millionths of a dollar. A number that is
 * too large to have such digits stays as it is. Zero is never negative.
 */
export function decimal(value: number, digits = DIGITS): number {
  const unit = 10 ** digits;
  const units = value * unit;
  return Math.abs(units) < Number.MAX_SAFE_INTEGER ? Math.round(units) / unit + 0 : value;
}

/** Do two lengths or amounts differ by more than `most`, as decimals? */
export const differsByMore = (one: number, other: number, most: number): boolean =>
  decimal(Math.abs(one - other)) > decimal(most);

/** Dollars, to the millionth. */
export const roundUsd = (usd: number): number => decimal(usd);

/** What is known of several amounts. */
export const addUsd = (...amounts: readonly (number | null)[]): number =>
  roundUsd(amounts.reduce<number>((sum, usd) => sum + (usd ?? 0), 0));

/** Null as soon as one amount is unknown. */
export const sumUsd = (amounts: readonly (number | null)[]): number | null =>
  amounts.includes(null) ? null : addUsd(...amounts);

export const total = (numbers: readonly number[]): number =>
  decimal(numbers.reduce((sum, number) => sum + number, 0));
