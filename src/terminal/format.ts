/**
 * Figures and texts as a terminal shows them: seconds, money, bars, and lines that keep to a width.
 * Pure. Nothing that came from outside reaches the screen with control characters in it (domain/values/foreign-text.ts).
 */
export { manyLines, oneLine, safeJson } from '../domain/values/foreign-text.js';

export const seconds = (value: number): string =>
  `${Number.isInteger(value) ? String(value) : value.toFixed(1)} s`;

export const usd = (value: number | null): string =>
  value === null ? 'unknown' : `$${value.toFixed(value !== 0 && Math.abs(value) < 0.01 ? 4 : 2)}`;

/** What was spent, where the cost of so many predictions is not known: what is known is the least it can be. */
export const spent = (value: number | null, unknown: number): string =>
  unknown > 0 && value !== null ? `at least ${usd(value)}` : usd(value);

/** 9 s, 1:05, 1:02:03. */
export function clock(value: number): string {
  const whole = Math.max(0, Math.round(value));
  const two = (part: number): string => String(part).padStart(2, '0');
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (hours > 0) return `${String(hours)}:${two(minutes)}:${two(rest)}`;
  return minutes > 0 ? `${String(minutes)}:${two(rest)}` : `${String(rest)} s`;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${String(count)} ${count === 1 ? one : many}`;

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar of exactly `width` columns. */
export function bar(percent: number, width: number): string {
  const eighths = Math.round((Math.min(100, Math.max(0, percent)) / 100) * width * 8);
  const full = Math.floor(eighths / 8);
  const filled = '█'.repeat(full) + (EIGHTHS[eighths % 8] ?? '');
  return filled + '░'.repeat(width - full - (eighths % 8 === 0 ? 0 : 1));
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;
const EMPTY = /^\p{Mark}|^[\u200b-\u200f\u2060\ufeff]/u;

const columnsOf = (grapheme: string): number =>
  EMPTY.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1;

/** Columns that a text takes on the screen. */
export const widthOf = (text: string): number =>
  Array.from(graphemes.segment(text)).reduce((sum, { segment }) => sum + columnsOf(segment), 0);

/** At most `width` columns, with an ellipsis where something was cut off. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    columns += columnsOf(segment);
    if (columns > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

export const pad = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)));

export const padLeft = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - widthOf(text))) + text;

/** Rows as columns of equal width, two spaces apart. `right` names the columns of figures. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (right.has(column) ? padLeft : pad)(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
