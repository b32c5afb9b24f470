/**
 * Texts that survive JSON and UTF-8. Half of a surrogate pair has no UTF-8 and is stored as U+FFFD, which makes it another
 * text. Text is therefore made well-formed, with the same U+FFFD, before it is sent, stored, hashed or compared. Pure.
 */

/** The same JSON value with every text and every key well-formed. */
export function wellFormed<T>(value: T): T;
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => wellFormed(item));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed<unknown>(item)]),
  );
}

const isFirstHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** The first `max` units of a text; one fewer where that would cut a surrogate pair in two. */
export const beginningOf = (text: string, max: number): string =>
  text.length > max && isFirstHalf(text.charCodeAt(max - 1))
    ? text.slice(0, max - 1)
    : text.slice(0, max);

/** A text of at max `max` units, ending in `…` where it was cut. */
export const shortened = (text: string, max: number): string =>
  text.length > max ? `${beginningOf(text, max - 1)}…` : text;
