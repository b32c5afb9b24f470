/** How commands tell amounts of stored data. Pure. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** 0 B, 812 B, 1.4 MB, 37 GB. */
export function dataSize(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : String(Math.round(value))} ${UNITS[power] ?? ''}`;
}
