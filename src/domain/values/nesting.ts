/** How deep a JSON value is. JSON of any depth can be parsed, but most of what reads it calls itself, and has one stack. Pure. */

/** Levels of lists and objects in each other; plans and answers have a few. */
export const DEEPEST = 64;

/** Has it at most so many levels? It looks no deeper than that. */
export const isShallow = (value: unknown, levels = DEEPEST): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1)));
