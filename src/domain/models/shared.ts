/** Parts that rows of several families share. */
import type {
  CrossRule,
  FileField,
  FilesField,
  LegalValues,
  ModelRow,
  NumberField,
  PriceRow,
  SecondsRule,
  TextField,
} from './row.js';

/** Defaults, spread first in a row: an official model that takes a prompt; a row adds what it has beyond that. */
export const USUAL = {
  official: true,
  version: null,
  prompt: 'prompt',
  negative_prompt: null,
  seed: null,
  start_image: null,
  end_image: null,
  references: null,
  audio: null,
  output: 'uri',
  output_fps: null,
  bills_failed: true,
} as const satisfies Partial<ModelRow>;

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
export const integer = (minimum: number, maximum: number, standard: number): NumberField => ({
  type: 'integer',
  minimum,
  maximum,
  default: standard,
});
export const oneOf = (values: readonly number[], standard: number): NumberField => ({
  type: 'integer',
  enum: values,
  default: standard,
});
export const SEED: NumberField = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 };
export const flag = (standard: boolean) => ({ type: 'boolean', default: standard }) as const;

/** The lengths of a model whose input `duration` counts seconds. */
export const inSeconds = (strategy: SecondsRule['strategy'], legal: LegalValues): SecondsRule => ({
  unit: 'seconds',
  strategy,
  input: 'duration',
  legal,
});

/** A setting that changes nothing: the model makes 24 frames a second. */
export const FPS_24 = { input: null, only: [24] };

export const endNeedsStart = (end: string, start: string): CrossRule => ({
  when: [{ input: end, is: 'set' }],
  then: [{ input: start, is: 'set' }],
  says: 'an end image needs a start image',
});

/** An input that the provider takes and this program does not send. */
export const refused = (input: string, says: string): CrossRule => ({
  when: [{ input, is: 'set' }],
  then: [{ input, is: 'unset' }],
  says,
});

export const NO_SEED = 'It takes no seed: equal plans give different clips.';
export const ALWAYS_SOUND = 'It always makes sound.';
export const FROM_A_PICTURE = 'It always starts from a picture, whose ratio the clip has.';
export const rewritesPrompts = (setting: string): string =>
  `It rewrites prompts itself; settings.${setting} false switches that off.`;

/** Ratios of models whose start image decides the ratio. */
export const COMMON_RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4'] as const;

/** The day on which prices were collected whose own day is not recorded. */
export const UNDATED = '2026-11-22';

type Priced = (usd: number, when?: PriceRow['when']) => PriceRow;

/** Prices that were read on the page of the model on a day: Replicate's API has none. docs/models.md has the sources. */
export function readOn(as_of: string, id: string): Record<'second' | 'clip', Priced> {
  const priced =
    (per: PriceRow['per']): Priced =>
    (usd, when) => ({ usd, per, as_of, source: pageOf(id), ...(when ? { when } : {}) });
  return { second: priced('second'), clip: priced('clip') };
}
const pageOf = (id: string): string => `https://replicate.com/${id}`;

/** A price that is derived from other price lists or from a sibling model, and was not seen at the provider. */
export const unconfirmed = (price: PriceRow): PriceRow => ({
  ...price,
  source: 'derived from public price lists, unconfirmed by the provider',
});

/** The day on which hardware prices were read on the pricing page. */
const HARDWARE_READ_ON = '2026-07-16';
const HARDWARE = { a100: 0.0014, h100: 0.001525, l40s: 0.000975 } as const;
export const perRunSecond = (hardware: keyof typeof HARDWARE): PriceRow => ({
  usd: HARDWARE[hardware],
  per: 'run_second',
  as_of: HARDWARE_READ_ON,
  source: 'https://replicate.com/pricing',
});
