/**
 * Zod schemas that normalise a value before it is checked: numbers are rounded to decimals, texts become well-formed, and
 * null in an optional field is the same as an absent one. JSON Schema is generated from them with `io: 'input'`.
 */
import { z } from 'zod';
import { decimal } from '../values/decimal.js';
import { wellFormed } from '../values/well-formed.js';

/** The smallest number that is not rounded to zero. */
const SMALLEST = 0.000001;

export const text = () => z.string().overwrite((value) => value.toWellFormed());
export const number = () => z.number().overwrite((value) => decimal(value));
export const whole = () => number().int();
/** Above zero, also after rounding; JSON Schema says so with a minimum. */
export const above0 = (most: number) => number().gt(0).max(most).meta({ minimum: SMALLEST });

/** An object of any JSON. `fits` is checked first, so that a value that is refused is not walked through. */
export const anything = (fits: (value: unknown) => boolean, error: string) =>
  z
    .record(z.string(), z.unknown())
    .refine(fits, { error, abort: true })
    .overwrite((value) => wellFormed(value));

/** A type without nulls: the schemas below remove them from values, but not from their inferred types. */
export type Given<T> = T extends readonly (infer Item)[]
  ? Given<Item>[]
  : T extends object
    ? { [Key in keyof T]: Given<Exclude<T[Key], null>> }
    : T;

/** An object of these fields and no others. A `nullish` field that is null is removed. */
export const object = <Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> => {
  const optional = new Set(Object.keys(shape).filter((name) => isOptional(shape[name])));
  return z.strictObject(shape).overwrite((value) => withoutNulls(value, optional));
};

/** An object of any keys; a key whose value is null is removed. */
export const words = <Value extends z.ZodType>(value: Value) =>
  z.record(text(), value.nullable()).overwrite((all) => withoutNulls(all));

const isOptional = (field: z.core.$ZodType | undefined): boolean =>
  field !== undefined && z.safeParse(field, undefined).success;

const withoutNulls = <T extends object>(value: T, names?: ReadonlySet<string>): T =>
  Object.fromEntries(
    Object.entries(value).filter(([name, item]) => item !== null || names?.has(name) === false),
  ) as T;
