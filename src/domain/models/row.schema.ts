/**
 * The schema of catalogue rows in a MODEL_CATALOGUE file, and checks beyond the shape: every name in a row is one of its
 * inputs, and every input has exactly one price. The published JSON Schema is generated from it.
 */
import { z } from 'zod';
import { bufferStrategySchema, unitPriceSchema } from '../job/job.schema.js';
import { number, object, text, whole } from '../plan/coercions.schema.js';
import { priceMistake } from '../pricing/price-check.js';
import type { ModelRow } from './row.js';
import { inputsOfRule, pricedInputs } from './rules.js';

const scalar = z.union([text(), number(), z.boolean()]);
const field = { required: z.boolean().nullish(), description: text().nullish() };

const inputField = z.discriminatedUnion('type', [
  object({
    type: z.literal('string'),
    ...field,
    enum: z.array(text()).min(1).nullish(),
    max_length: whole().min(1).nullish(),
    default: text().nullish(),
  }),
  object({ type: z.literal('uri'), ...field }),
  object({
    type: z.enum(['integer', 'number']),
    ...field,
    enum: z.array(number()).min(1).nullish(),
    minimum: number().nullish(),
    maximum: number().nullish(),
    default: number().nullish(),
  }),
  object({ type: z.literal('boolean'), ...field, default: z.boolean().nullish() }),
  object({ type: z.literal('uris'), ...field, max_items: whole().min(1).nullish() }),
]);

const MAX_LENGTHS = 2000;
const legal = z.union([
  z.strictObject({ values: z.array(number().gt(0)).min(1).max(MAX_LENGTHS) }),
  z
    .strictObject({ min: number().gt(0), max: number().gt(0), step: number().gt(0) })
    .refine(({ min, max, step }) => max >= min && (max - min) / step < MAX_LENGTHS, {
      error: `max is at least min, and there are fewer than ${String(MAX_LENGTHS)} steps`,
    }),
]);
const durationBase = {
  strategy: bufferStrategySchema,
  input: text().nullable(),
  legal,
};
const duration = z.discriminatedUnion('unit', [
  z.strictObject({ unit: z.literal('seconds'), ...durationBase }),
  object({
    unit: z.literal('frames'),
    ...durationBase,
    fps: number().gt(0),
    fps_input: text().nullable(),
    labels: z.record(text(), text()).nullish(),
  }),
]);

/** A test of the value of an input. */
const testWith = <Shape extends z.ZodRawShape>(more: Shape) =>
  z.union([
    z.strictObject({ ...more, is: z.enum(['set', 'unset']) }),
    z.strictObject({ ...more, one_of: z.array(scalar).min(1) }),
    z.strictObject({ ...more, at_most: number() }),
    z.strictObject({ ...more, at_least: number() }),
  ]);
const test = testWith({});
const simple = testWith({ input: text() });
const condition = z.union([simple, z.strictObject({ any_of: z.array(simple).min(1) })]);

const usd = z.number().min(0);
const price = object({
  usd,
  per: unitPriceSchema.shape.per,
  as_of: z.iso.date(),
  source: text().min(1),
  when: z.record(text(), z.union([scalar, test])).nullish(),
  fees: z.array(object({ input: text(), usd, above: whole().min(0).nullish() })).nullish(),
});

const setting = object({
  input: text().nullable(),
  as: z.record(text(), scalar).nullish(),
  only: z.array(scalar).nullish(),
  differs: z.record(text(), text()).nullish(),
});

const inputName = text().nullable();

const day = z.iso.date().nullish().default(null);
export const lifeCycleSchema = z
  .strictObject({
    status: z.enum(['active', 'superseded', 'deprecated', 'retired']).meta({
      description: 'Plans for a retired model are refused; deprecated and superseded are warnings.',
    }),
    since: day,
    until: day.meta({ description: 'The announced end of a deprecated model.' }),
    successor: text().nullish().default(null).meta({
      description: 'The model that takes its place.',
    }),
    source: text().min(1).meta({ description: 'Who says so.' }),
  })
  .superRefine(({ status, since, until, successor }, context) => {
    const isActive = status === 'active';
    const ends = status === 'deprecated' || status === 'retired';
    const rules: [wrong: boolean, field: string, message: string, input: unknown][] = [
      [isActive && successor !== null, 'successor', 'no successor while it is active', successor],
      [ends && since === null, 'since', `the day since which it is ${status}`, since],
      [until !== null && status !== 'deprecated', 'until', 'no end unless it is deprecated', until],
      [
        since !== null && until !== null && until < since,
        'until',
        `a day from ${String(since)} on`,
        until,
      ],
    ];
    for (const [wrong, field, message, input] of rules) {
      if (wrong) context.addIssue({ code: 'custom', path: [field], message, input });
    }
  });

const references = z.strictObject({ input: text(), limit: whole().min(1) });

const rowFields = object({
  id: text().regex(/^[\w.-]+\/[\w.-]+$/, { error: 'owner/name' }),
  title: text().min(1),
  official: z.boolean(),
  version: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: '64 hexadecimal digits' })
    .nullable(),
  inputs: z.record(text(), inputField),
  prompt: inputName,
  negative_prompt: inputName,
  seed: inputName,
  start_image: inputName,
  end_image: inputName,
  references: references.nullable(),
  reference_videos: references.nullish(),
  reference_audios: references.nullish(),
  audio: inputName,
  duration,
  aspect_ratio: object({
    input: inputName,
    values: z.array(text()),
    follows_image: z.boolean(),
    with_image: text().nullish(),
  }),
  settings: z.record(text(), setting),
  sends: z.record(text(), scalar),
  draft: z.record(text(), scalar).optional(),
  rules: z.array(
    z.strictObject({
      when: z.array(condition).min(1),
      then: z.array(condition).min(1),
      says: text().min(1),
    }),
  ),
  prices: z.array(price),
  output: z.enum(['uri', 'uris']),
  output_fps: number().gt(0).nullable(),
  usual_time: number().gt(0),
  bills_failed: z.boolean(),
  notes: z.array(text()),
  life_cycle: lifeCycleSchema.nullish(),
});

type Fields = z.infer<typeof rowFields>;

/** Every input that a row names, with the place where it names it (ROW-1). */
function namedInputs(row: Fields): [place: string, name: string | null][] {
  const roles = ['prompt', 'negative_prompt', 'seed', 'start_image', 'end_image', 'audio'] as const;
  return [
    ...roles.map((role): [string, string | null] => [role, row[role]]),
    ...(['references', 'reference_videos', 'reference_audios'] as const).map(
      (kind): [string, string | null] => [kind, row[kind]?.input ?? null],
    ),
    ['duration', row.duration.input],
    ['duration', row.duration.unit === 'frames' ? row.duration.fps_input : null],
    ['aspect_ratio', row.aspect_ratio.input],
    ...Object.entries(row.settings).map(([name, { input }]): [string, string | null] => [
      `settings.${name}`,
      input,
    ]),
    ...(['sends', 'draft'] as const).flatMap((place) =>
      Object.keys(row[place] ?? {}).map((name): [string, string] => [`${place}.${name}`, name]),
    ),
    ...asRow(row)
      .rules.flatMap(inputsOfRule)
      .map((name): [string, string] => ['rules', name]),
    ...pricedInputs(asRow(row)).map((name): [string, string] => ['prices', name]),
  ];
}

/** As rows are parsed: an optional field may be absent, and is never null. */
type Parsed<T> = T extends readonly (infer Item)[]
  ? Parsed<Item>[]
  : T extends object
    ? {
        [Key in keyof T]: undefined extends T[Key]
          ? Parsed<Exclude<T[Key], null | undefined>>
          : Parsed<T[Key]>;
      }
    : T;

/** The compiler compares the schema with the type: what the one accepts and the other does not is an error here. */
export const asRow = (row: Fields): ModelRow => row as Parsed<Fields>;

export const rowSchema = rowFields.superRefine((row, context) => {
  const unknown = namedInputs(row).filter(
    ([, name]) => name !== null && !Object.hasOwn(row.inputs, name),
  );
  for (const [place, name] of unknown) {
    const message = `one of the row's inputs (${Object.keys(row.inputs).join(', ')})`;
    context.addIssue({ code: 'custom', path: place.split('.'), message, input: name });
  }
  const mistake = unknown.length > 0 ? null : priceMistake(asRow(row)); // ROW-4
  if (mistake !== null) {
    const said = { message: mistake, params: { whole: true } };
    context.addIssue({ code: 'custom', path: ['prices'], ...said });
  }
});

/** A file of rows: what MODEL_CATALOGUE names. */
export const catalogueFileSchema = object({
  $schema: z.string().nullish(),
  models: z.array(rowSchema),
});

/** docs/model-catalogue.schema.json */
export const catalogueJsonSchema = (): object => ({
  ...z.toJSONSchema(catalogueFileSchema, { io: 'input' }),
  title: 'Extra rows of the model catalogue (MODEL_CATALOGUE)',
});
