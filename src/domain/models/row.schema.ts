/**
 * The shape of catalogue rows that people write themselves, and the checks that no shape can express: every name in
 * a row is one of its inputs. The published JSON Schema is generated from here.
 */
import { z } from 'zod';
import type { ModelRow } from './row.js';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const field = { required: z.boolean().optional(), description: z.string().optional() };

const inputField = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('string'),
    ...field,
    enum: z.array(z.string()).min(1).optional(),
    max_length: z.int().min(1).optional(),
    default: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('uri'), ...field }),
  z.strictObject({
    type: z.enum(['integer', 'number']),
    ...field,
    enum: z.array(z.number()).min(1).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    default: z.number().optional(),
  }),
  z.strictObject({ type: z.literal('boolean'), ...field, default: z.boolean().optional() }),
  z.strictObject({ type: z.literal('uris'), ...field, max_items: z.int().min(1).optional() }),
]);

const MOST_LENGTHS = 2000;
const legal = z.union([
  z.strictObject({ values: z.array(z.number().gt(0)).min(1).max(MOST_LENGTHS) }),
  z
    .strictObject({ min: z.number().gt(0), max: z.number().gt(0), step: z.number().gt(0) })
    .refine(({ min, max, step }) => max >= min && (max - min) / step < MOST_LENGTHS, {
      error: `max is at least min, and there are fewer than ${String(MOST_LENGTHS)} steps`,
    }),
]);
const durationBase = {
  strategy: z.enum(['maximum', 'percentage', 'none']),
  input: z.string().nullable(),
  legal,
};
const duration = z.discriminatedUnion('unit', [
  z.strictObject({ unit: z.literal('seconds'), ...durationBase }),
  z.strictObject({
    unit: z.literal('frames'),
    ...durationBase,
    fps: z.number().gt(0),
    fps_input: z.string().nullable(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
]);

const condition = z.union([
  z.strictObject({ input: z.string(), is: z.enum(['set', 'unset']) }),
  z.strictObject({ input: z.string(), one_of: z.array(scalar).min(1) }),
  z.strictObject({ input: z.string(), at_most: z.int().min(0) }),
]);

const price = z.strictObject({
  usd: z.number().min(0),
  per: z.enum(['second', 'clip', 'run_second']),
  as_of: z.iso.date(),
  source: z.string().min(1),
  when: z.record(z.string(), scalar).optional(),
});

const setting = z.strictObject({
  input: z.string().nullable(),
  as: z.record(z.string(), scalar).optional(),
  only: z.array(scalar).optional(),
  differs: z.record(z.string(), z.string()).optional(),
});

const inputName = z.string().nullable();

const rowFields = z.strictObject({
  id: z.string().regex(/^[\w.-]+\/[\w.-]+$/, { error: 'owner/name' }),
  title: z.string().min(1),
  official: z.boolean(),
  version: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: '64 hexadecimal digits' })
    .nullable(),
  inputs: z.record(z.string(), inputField),
  prompt: inputName,
  negative_prompt: inputName,
  seed: inputName,
  start_image: inputName,
  end_image: inputName,
  references: z.strictObject({ input: z.string(), limit: z.int().min(1) }).nullable(),
  audio: inputName,
  duration,
  aspect_ratio: z.strictObject({
    input: inputName,
    values: z.array(z.string()),
    follows_image: z.boolean(),
  }),
  settings: z.record(z.string(), setting),
  sends: z.record(z.string(), scalar),
  rules: z.array(
    z.strictObject({
      when: z.array(condition).min(1),
      then: z.array(condition).min(1),
      says: z.string().min(1),
    }),
  ),
  prices: z.array(price),
  output: z.enum(['uri', 'uris']),
  output_fps: z.number().gt(0).nullable(),
  usual_time: z.number().gt(0),
  bills_failed: z.boolean(),
  notes: z.array(z.string()),
});

type Fields = z.infer<typeof rowFields>;

/** Every input that a row names, with the place where it names it (R1). */
function namedInputs(row: Fields): [place: string, name: string | null][] {
  const roles = ['prompt', 'negative_prompt', 'seed', 'start_image', 'end_image', 'audio'] as const;
  const conditions = row.rules.flatMap((rule) => [...rule.when, ...rule.then]);
  return [
    ...roles.map((role): [string, string | null] => [role, row[role]]),
    ['references', row.references?.input ?? null],
    ['duration', row.duration.input],
    ['duration', row.duration.unit === 'frames' ? row.duration.fps_input : null],
    ['aspect_ratio', row.aspect_ratio.input],
    ...Object.entries(row.settings).map(([name, { input }]): [string, string | null] => [
      `settings.${name}`,
      input,
    ]),
    ...Object.keys(row.sends).map((name): [string, string] => [`sends.${name}`, name]),
    ...conditions.map(({ input }): [string, string] => ['rules', input]),
    ...row.prices.flatMap(({ when }) =>
      Object.keys(when ?? {}).map((name): [string, string] => ['prices', name]),
    ),
  ];
}

export const rowSchema = rowFields.superRefine((row, context) => {
  for (const [place, name] of namedInputs(row)) {
    if (name === null || Object.hasOwn(row.inputs, name)) continue;
    const message = `one of the row's inputs (${Object.keys(row.inputs).join(', ')})`;
    context.addIssue({ code: 'custom', path: place.split('.'), message, input: name });
  }
});

/** A file of rows: what MODEL_CATALOGUE names. */
export const catalogueFileSchema = z.strictObject({
  $schema: z.string().optional(),
  models: z.array(rowSchema),
});

/** A schema that accepts what the type does not would show here. */
export const asRow = (row: z.infer<typeof rowSchema>): ModelRow => row as ModelRow;

/** docs/model-catalogue.schema.json */
export const catalogueJsonSchema = (): object => ({
  ...z.toJSONSchema(catalogueFileSchema, { io: 'input' }),
  title: 'Extra rows of the model catalogue (MODEL_CATALOGUE)',
});
