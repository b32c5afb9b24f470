/**
 * Texts that survive JSON and UTF-8. Half of a surrogate pair has no UTF-8: whoever stores it, stores U+FFFD, and
 * the same text is then another one. What is sent, stored, hashed or compared is therefore made well-formed first,
 * with the same U+FFFD. Pure.
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

/** The first `most` units of a text; one fewer where that would cut a surrogate pair in two. */
export const beginningOf = (text: string, most: number): string =>
  text.length > most && isFirstHalf(text.charCodeAt(most - 1))
    ? text.slice(0, most - 1)
    : text.slice(0, most);

/** A text of at most `most` units, ending in `…` where something was left out. */
export const shortened = (text: string, most: number): string =>
  text.length > most ? `${beginningOf(text, most - 1)}…` : text;
