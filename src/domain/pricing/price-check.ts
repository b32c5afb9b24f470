/**
 * Checks that a row has exactly one price for each input that a plan can request of its model (ROW-4). Pure.
 *
 * PRICE-CHECK-1 Every combination of legal values of the priced inputs is tried. Of unbounded values (numbers, lists of files,
 *    texts), those next to each value that a price names stand for all.
 * PRICE-CHECK-2 A rule excludes a combination only where all its inputs are priced ones: the others have no value here.
 */
import { legalDurations } from '../plan/duration-planner.js';
import type { InputField, ModelRow, PriceRow, Scalar, Test } from '../models/row.js';
import { brokenRules, fits, inputsOfRule, pricedInputs } from '../models/rules.js';

type Input = Readonly<Record<string, unknown>>;

/** Far more than any model has, and still checked quickly. */
const MAX_COMBINATIONS = 100_000;

const FILE = 'https://files.example/a';
const OTHER_TEXT = 'any other text';

/** PRICE-CHECK-1, PRICE-CHECK-2 */
export function* pricedCombinations(row: ModelRow): Generator<Input, void, void> {
  const names = pricedInputs(row);
  const rules = row.rules.filter((rule) =>
    inputsOfRule(rule).every((input) => names.includes(input)),
  );
  const values = names.map((name) => [name, legalValues(row, name)] as const);
  for (const input of combinations(values)) {
    if (brokenRules({ ...row, rules }, input).length === 0) yield input;
  }
}

/** A sentence about the first mistake in a row's prices; null where there is none. */
export function priceMistake(row: ModelRow): string | null {
  if (row.prices.length === 0) return null;
  const count = pricedInputs(row).reduce((all, name) => all * legalValues(row, name).length, 1);
  if (count > MAX_COMBINATIONS) {
    return `expected prices that tell at most ${String(MAX_COMBINATIONS)} combinations of inputs apart, got ${String(count)}`;
  }
  for (const input of pricedCombinations(row)) {
    const found = row.prices.flatMap((price, place) =>
      fits(row, input, price) ? [`prices.${String(place)}`] : [],
    );
    if (found.length !== 1) {
      const got = found.length === 0 ? 'none' : found.join(' and ');
      return `expected exactly one price for ${described(row, input)}, got ${got}`;
    }
  }
  return null;
}

function* combinations(
  values: readonly (readonly [name: string, legal: readonly unknown[]])[],
): Generator<Input, void, void> {
  const [first, ...others] = values;
  if (first === undefined) return yield {};
  const [name, legal] = first;
  for (const rest of combinations(others)) {
    // An absent input has no key, and counts as its default.
    for (const value of legal) yield value === undefined ? rest : { [name]: value, ...rest };
  }
}

function legalValues(row: ModelRow, name: string): readonly unknown[] {
  if (name === row.duration.input) return legalDurations(row.duration).map(({ value }) => value);
  const field = row.inputs[name];
  if (field === undefined) return [];
  const given = valuesOf(field, named(row.prices, name));
  const isAlwaysGiven = field.required === true || Object.hasOwn(row.sends, name);
  const hasDefault = 'default' in field && field.default !== undefined;
  return isAlwaysGiven || hasDefault ? given : [undefined, ...given];
}

function valuesOf(field: InputField, values: readonly Scalar[]): readonly unknown[] {
  switch (field.type) {
    case 'boolean':
      return [true, false];
    case 'uri':
      return [FILE];
    case 'uris': {
      const most = field.max_items ?? Infinity;
      return numbers([1, ...values], { step: 1, least: 1, most }).map((count) =>
        Array.from({ length: count }, () => FILE),
      );
    }
    case 'string':
      return field.enum ?? [...new Set([...values, field.default ?? '', OTHER_TEXT])];
    case 'integer':
    case 'number': {
      const { minimum: least = -Infinity, maximum: most = Infinity } = field;
      const ends = [least, most, field.default ?? 0].filter(Number.isFinite);
      const step = field.type === 'integer' ? 1 : 0.000_001;
      return field.enum ?? numbers([...ends, ...values], { step, least, most });
    }
  }
}

/** Each number and its neighbours, where they are legal. */
const numbers = (
  values: readonly Scalar[],
  { step, least, most }: { step: number; least: number; most: number },
): number[] => {
  const near = values.flatMap((value) =>
    typeof value === 'number' ? [value - step, value, value + step] : [],
  );
  return [...new Set(near)].filter((value) => value >= least && value <= most);
};

/** The values of an input that prices name. */
const named = (prices: readonly PriceRow[], name: string): Scalar[] =>
  prices.flatMap(({ when = {} }) => {
    const test = Object.hasOwn(when, name) ? when[name] : undefined;
    if (test === undefined) return [];
    return typeof test === 'object' ? namedIn(test) : [test];
  });

const namedIn = (test: Test): readonly Scalar[] => {
  if ('is' in test) return [];
  if ('one_of' in test) return test.one_of;
  return ['at_most' in test ? test.at_most : test.at_least];
};

function described(row: ModelRow, input: Input): string {
  const names = pricedInputs(row);
  if (names.length === 0) return 'every input';
  return names.map((name) => `${name} ${shown(row.inputs[name], input[name])}`).join(', ');
}

function shown(field: InputField | undefined, value: unknown): string {
  if (value === undefined) return 'unset';
  if (Array.isArray(value)) return `of ${String(value.length)}`;
  return field?.type === 'uri' ? 'set' : JSON.stringify(value);
}
