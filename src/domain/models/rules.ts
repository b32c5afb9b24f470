/**
 * Reads a row's cross-field rules: which of them does an input object break? The same answer for the
 * plan check, the duration planner and the simulator. Pure; knows no model.
 */
import type { Condition, CrossRule, InputField, ModelRow } from './row.js';

type Input = Readonly<Record<string, unknown>>;

const defaultOf = (field: InputField | undefined): unknown =>
  field !== undefined && 'default' in field ? field.default : undefined;

/** What the model will see: an absent input counts as its default. */
export const effective = (row: ModelRow, input: Input, name: string): unknown =>
  Object.hasOwn(input, name) ? input[name] : defaultOf(row.inputs[name]);

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== '';

export function holds(row: ModelRow, input: Input, condition: Condition): boolean {
  const value = effective(row, input, condition.input);
  if ('is' in condition) return isSet(value) === (condition.is === 'set');
  if ('one_of' in condition) return condition.one_of.some((item) => item === value);
  return !Array.isArray(value) || value.length <= condition.at_most;
}

export const brokenRules = (row: ModelRow, input: Input): CrossRule[] =>
  row.rules.filter(
    (rule) =>
      rule.when.every((condition) => holds(row, input, condition)) &&
      !rule.then.every((condition) => holds(row, input, condition)),
  );
