/**
 * How figures read, on the page and in the terminal: seconds, money, clocks, counts. Pure text from values; it knows no job.
 * An unknown figure is called so, and is never a zero.
 */

export const UNKNOWN = 'unknown';

/** At most two decimals, none where there are none: 5 s, 5.2 s, 5.04 s. */
export const seconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? UNKNOWN : `${String(Math.round(value * 100) / 100)} s`;

/** Cents, or as many decimals as a price of a few cents or less needs: $0.35, $0.042, $0.0042. */
export function usd(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  return `$${value.toFixed(size === 0 || size >= 0.1 ? 2 : size >= 0.01 ? 3 : 4)}`;
}

/** What was spent, where the cost of so many predictions is not known: what is known is the least it can be. */
export const spent = (value: number | null, unknown: number): string =>
  unknown > 0 && value !== null ? `at least ${usd(value)}` : usd(value);

/** A running clock: 0:07, 12:30, 1:02:03. Never negative. */
export function clock(value: number): string {
  const total = Math.max(0, Math.floor(value));
  const parts = [Math.floor(total / 60) % 60, total % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${String(hours)}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}

/** A length of time: 9 s, 1:05, 1:02:03. */
export function time(value: number): string {
  const whole = Math.max(0, Math.round(value));
  return whole < 60 ? `${String(whole)} s` : clock(whole);
}

/** A guess that says it is one: "about 2 min". */
export function roughly(value: number): string {
  if (value < 10) return 'a few seconds';
  if (value < 50) return `about ${String(Math.round(value / 10) * 10)} s`;
  if (value < 3570) return `about ${String(Math.max(1, Math.round(value / 60)))} min`;
  const minutes = Math.round(value / 600) * 10;
  const rest = minutes % 60;
  return `about ${String(Math.floor(minutes / 60))} h${rest === 0 ? '' : ` ${String(rest)} min`}`;
}

export const percent = (value: number): string => `${String(Math.round(value))} %`;

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${String(count)} ${count === 1 ? one : many}`;
