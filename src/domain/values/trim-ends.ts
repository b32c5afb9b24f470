/**
 * Trims text with loops: a pattern such as `x+$` starts again at each x, and takes quadratic time on a long row of them.
 * Pure.
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
