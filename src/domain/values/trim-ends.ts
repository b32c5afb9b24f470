/**
 * The ends of a text, taken off by loops: a pattern such as `x+$` begins anew at each x of a text, and takes quadratic time
 * over a long row of them. Pure.
 */

/** The text without the characters of `set` at its end. */
export function withoutTrailing(text: string, set: string): string {
  let end = text.length;
  while (end > 0 && set.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** The text without the characters of `set` at its beginning. */
export function withoutLeading(text: string, set: string): string {
  let start = 0;
  while (start < text.length && set.includes(text.charAt(start))) start += 1;
  return text.slice(start);
}
