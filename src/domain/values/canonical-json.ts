/**
 * One text per value: keys sorted, undefined left out, strings as they are after JSON and UTF-8. Equal texts mean equal
 * JSON, also after one side was stored and read again.
 */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'string') return item.toWellFormed();
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    const entries = Object.entries(item).map(([key, part]) => [key.toWellFormed(), part] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
