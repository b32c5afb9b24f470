/**
 * What every door does to a value before it is checked, as zod schemas: numbers become decimals, texts become
 * well-formed, and null in an optional field is the same as an absent one. The schemas stay documents of what is
 * accepted: JSON Schema is generated from them with `io: 'input'`.
 */
import { z } from 'zod';
import { decimal } from '../values/decimal.js';
import { wellFormed } from '../values/well-formed.js';

/** The smallest number that is not rounded to zero. */
const SMALLEST = 0.000001;

export const text = () => z.string().overwrite((value) => value.toWellFormed());
export const number = () => z.number().overwrite((value) => decimal(value));
export const whole = () => number().int();
/** Above zero also after it is rounded, and the document says so. */
export const above0 = (most: number) => number().gt(0).max(most).meta({ minimum: SMALLEST });

/** Any JSON below a key; `fits` is asked first, so that nothing is walked through that is refused anyway. */
export const anything = (fits: (value: unknown) => boolean, error: string) =>
  z
    .record(z.string(), z.unknown())
    .refine(fits, { error, abort: true })
    .overwrite((value) => wellFormed(value));

/** What is left of a type when null is the same as absent; the schemas below leave nulls out, and their types keep them. */
export type Given<T> = T extends readonly (infer Item)[]
  ? Given<Item>[]
  : T extends object
    ? { [Key in keyof T]: Given<Exclude<T[Key], null>> }
    : T;

/** An object of these fields and no others. Those that are `nullish` are left out when they are null. */
export const object = <Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> => {
  const optional = new Set(Object.keys(shape).filter((name) => isOptional(shape[name])));
  return z.strictObject(shape).overwrite((value) => withoutNulls(value, optional));
};

/** Words with a value each, of which null is the same as none. */
export const words = <Value extends z.ZodType>(value: Value) =>
  z.record(text(), value.nullable()).overwrite((all) => withoutNulls(all));

const isOptional = (field: z.core.$ZodType | undefined): boolean =>
  field !== undefined && z.safeParse(field, undefined).success;

const withoutNulls = <T extends object>(value: T, names?: ReadonlySet<string>): T =>
  Object.fromEntries(
    Object.entries(value).filter(([name, item]) => item !== null || names?.has(name) === false),
  ) as T;
