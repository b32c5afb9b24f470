/** Texts of the page alone: names, ages, links and sizes. Pure. */
import { percent, plural } from '../client/figures.js';
import * as words from '../client/words.js';

/** An increase: "+100 %", and nothing at all where there is none. */
export const increase = (value: number): string =>
  Math.round(value) === 0 ? 'none' : `+${percent(value)}`;

/** As labels and sentences begin. */
export const clipName = (clipIndex: number): string => words.capital(words.clipName(clipIndex));

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
