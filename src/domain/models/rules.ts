/**
 * Evaluates conditions of a row: which rules an input object breaks, and which prices fit it. The same for the plan check,
 * the duration planner and the simulator. Pure; it knows no model.
 */
import type { Condition, CrossRule, InputField, ModelRow, PriceRow, Test } from './row.js';

type Input = Readonly<Record<string, unknown>>;

const defaultOf = (field: InputField | undefined): unknown =>
  field !== undefined && 'default' in field ? field.default : undefined;

/** The value that the model uses: an absent input has its default. */
export const effective = (row: ModelRow, input: Input, name: string): unknown =>
  Object.hasOwn(input, name) ? input[name] : defaultOf(row.inputs[name]);

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== '';

/** The number of files, or the number itself. */
const amountOf = (value: unknown): number => {
  if (typeof value === 'number') return value;
  return Array.isArray(value) ? value.length : Number(isSet(value));
};

const passes = (value: unknown, test: Test): boolean => {
  if ('is' in test) return isSet(value) === (test.is === 'set');
  if ('one_of' in test) return test.one_of.some((item) => item === value);
  return 'at_most' in test ? amountOf(value) <= test.at_most : amountOf(value) >= test.at_least;
};

const holds = (row: ModelRow, input: Input, condition: Condition): boolean =>
  'any_of' in condition
    ? condition.any_of.some((one) => holds(row, input, one))
    : passes(effective(row, input, condition.input), condition);

/** Every input of a condition. */
export const inputsOf = (condition: Condition): string[] =>
  'any_of' in condition ? condition.any_of.flatMap(inputsOf) : [condition.input];

export const inputsOfRule = ({ when, then }: CrossRule): string[] =>
  [...when, ...then].flatMap(inputsOf);

export const brokenRules = (row: ModelRow, input: Input): CrossRule[] =>
  row.rules.filter(
    (rule) =>
      rule.when.every((condition) => holds(row, input, condition)) &&
      !rule.then.every((condition) => holds(row, input, condition)),
  );

export const fits = (row: ModelRow, input: Input, { when = {} }: PriceRow): boolean =>
  Object.entries(when).every(([name, test]) => {
    const value = effective(row, input, name);
    return typeof test === 'object' ? passes(value, test) : value === test;
  });

/** The fee for the files of an input, in addition to the price; 0 where there is none. */
export const feeOf = (row: ModelRow, input: Input, { fees = [] }: PriceRow): number =>
  fees.reduce(
    (sum, { input: name, usd, above = 0 }) =>
      sum + usd * Math.max(0, amountOf(effective(row, input, name)) - above),
    0,
  );

/** Every input that a price depends on. */
export const pricedInputs = ({ prices }: ModelRow): string[] => [
  ...new Set(
    prices.flatMap(({ when = {}, fees = [] }) => [
      ...Object.keys(when),
      ...fees.map(({ input }) => input),
    ]),
  ),
];
