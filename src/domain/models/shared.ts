/** Pieces that several families' rows are written with. Data only. */
import type { FileField, FilesField, PriceRow, Scalar, TextField } from './row.js';

export const text: TextField = { type: 'string' };
export const requiredText: TextField = { type: 'string', required: true };
export const choice = (values: readonly string[], standard: string): TextField => ({
  type: 'string',
  enum: values,
  default: standard,
});
export const image: FileField = { type: 'uri' };
export const requiredImage: FileField = { type: 'uri', required: true };
export const images = (limit: number): FilesField => ({ type: 'uris', max_items: limit });
export const anyInteger = { type: 'integer' } as const;
export const flag = (standard: boolean) => ({ type: 'boolean', default: standard }) as const;

/** Ratios people ask for where the picture, not an input, decides. */
export const COMMON_RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4'] as const;

/** Replicate's API carries no prices: these were collected from price lists and model pages on this day. */
const COLLECTED_ON = '2026-11-22';
const MODEL_PAGE = (id: string): string => `https://replicate.com/${id}`;

/** Derived from other price lists or from a sibling model, and not seen at the provider. */
export const unconfirmed = (price: PriceRow): PriceRow => ({
  ...price,
  source: 'derived from public price lists, unconfirmed by the provider',
});

export const perSecond = (
  id: string,
  usd: number,
  when?: Readonly<Record<string, Scalar>>,
): PriceRow => priced(id, usd, 'second', when);
export const perClip = (
  id: string,
  usd: number,
  when?: Readonly<Record<string, Scalar>>,
): PriceRow => priced(id, usd, 'clip', when);

function priced(
  id: string,
  usd: number,
  per: 'second' | 'clip',
  when: Readonly<Record<string, Scalar>> | undefined,
): PriceRow {
  return { usd, per, as_of: COLLECTED_ON, source: MODEL_PAGE(id), ...(when ? { when } : {}) };
}

/** Hardware seconds, from the pricing page as it was on this day. */
const HARDWARE_READ_ON = '2026-07-16';
const HARDWARE = { a100: 0.0014, h100: 0.001525, l40s: 0.000975 } as const;
export const perRunSecond = (hardware: keyof typeof HARDWARE): PriceRow => ({
  usd: HARDWARE[hardware],
  per: 'run_second',
  as_of: HARDWARE_READ_ON,
  source: 'https://replicate.com/pricing',
});
