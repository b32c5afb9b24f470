/** The catalogue as people compare models: one row a model. Pure. */
import { legalDurations, listed } from '../domain/duration.js';
import type { ModelRow, PriceRow } from '../domain/models/row.js';
import { table, truncate } from './format.js';

const HEADINGS = ['model', 'durations', 'ratios', 'images', 'price', 'read on'];
const LONGEST = 48;

export const modelTable = (rows: readonly ModelRow[]): string[] =>
  table([HEADINGS, ...rows.map(cells)], new Set());

const cells = (row: ModelRow): string[] => [
  row.id,
  listed(legalDurations(row.duration)),
  truncate(row.aspect_ratio.values.join(' '), LONGEST),
  imagesText(row),
  priceText(row.prices),
  row.prices.map(({ as_of }) => as_of).sort()[0] ?? '',
];

function imagesText(row: ModelRow): string {
  const needed = (name: string): string => (row.inputs[name]?.required === true ? ' (needed)' : '');
  const parts = [
    row.start_image === null ? null : `start${needed(row.start_image)}`,
    row.end_image === null ? null : 'end',
    row.references === null ? null : `${String(row.references.limit)} references`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

const PER: Record<PriceRow['per'], string> = {
  second: 'a second',
  clip: 'a clip',
  run_second: 'a second of run time',
};

function priceText(prices: readonly PriceRow[]): string {
  const usd = prices.map((price) => price.usd);
  const first = prices[0];
  if (first === undefined) return 'unknown';
  const [low, high] = [Math.min(...usd), Math.max(...usd)];
  return `$${low === high ? String(low) : `${String(low)}–${String(high)}`} ${PER[first.per]}`;
}
