/** How deep a JSON value is. JSON of any depth can be parsed, but most code that reads it is recursive. Pure. */

/** Nested levels of lists and objects; plans and answers have a few. */
export const DEEPEST = 64;

/** Does the value have at most `levels` levels? The check goes no deeper. */
export const isShallow = (value: unknown, levels = DEEPEST): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1)));
