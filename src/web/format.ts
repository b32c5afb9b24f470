/**
 * How figures read: seconds, money, clocks, counts. Pure text from values; it knows no job and no page.
 * An unknown figure is an em dash, never a zero.
 */

export const UNKNOWN = '—';

/** At most two decimals, none where there are none: 5, 5.2, 5.04. */
const plain = (value: number): string => String(Math.round(value * 100) / 100);

export const seconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? UNKNOWN : `${plain(value)} s`;

/** Cents, or as many decimals as a price below a cent needs. */
export function usd(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  const decimals = value !== 0 && Math.abs(value) < 0.1 ? 3 : 2;
  return `$${value.toFixed(decimals)}`;
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

/** An increase: "+100 %", and nothing at all where there is none. */
export const increase = (value: number): string =>
  Math.round(value) === 0 ? 'none' : `+${percent(value)}`;

export const plural = (count: number, noun: string): string =>
  `${String(count)} ${noun}${count === 1 ? '' : 's'}`;

export const clipName = (clipIndex: number): string => `Clip ${String(clipIndex)}`;

const AGES: readonly [limit: number, unit: number, name: string][] = [
  [90, 1, 'second'],
  [90 * 60, 60, 'minute'],
  [36 * 3600, 3600, 'hour'],
  [Infinity, 86_400, 'day'],
];

/** How long ago: "just now", "5 minutes ago". */
export function ago(from: string, now: number): string {
  const age = (now - Date.parse(from)) / 1000;
  if (!(age >= 10)) return 'just now';
  const [, unit, name] = AGES.find(([limit]) => age < limit) ?? [0, 86_400, 'day'];
  return `${plural(Math.round(age / unit), name)} ago`;
}

/** Only links a browser may safely follow; anything else is no link. */
export const safeLink = (url: string | null | undefined): string | null =>
  url !== null && url !== undefined && /^https?:\/\//i.test(url) ? url : null;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as people and their disks count them: 820 B, 4.2 MB, 12 GB. */
export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${String(value < 10 && power > 0 ? Math.round(value * 10) / 10 : Math.round(value))} ${UNITS[power] ?? ''}`;
}
