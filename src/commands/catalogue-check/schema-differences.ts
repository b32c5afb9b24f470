/**
 * A catalogue row compared with the schema that the provider publishes for the model: a sentence for each difference that could
 * make a request fail or change its cost. Reads leniently: a schema may hold anything. Pure.
 */
import { lifeCycleOf } from '../../domain/models/life-cycle.js';
import type { InputField, ModelRow } from '../../domain/models/row.js';

type Loose = Record<string, unknown>;

/** costs: renders would cost more than the row says; breaks: its requests would be refused; notice: for information. */
export interface Finding {
  weight: 'costs' | 'breaks' | 'notice';
  says: string;
}

const objectOf = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};

export function differences(row: ModelRow, openapiSchema: unknown): Finding[] {
  const schemas = objectOf(objectOf(objectOf(openapiSchema)['components'])['schemas']);
  const input = objectOf(schemas['Input']);
  const theirs = objectOf(input['properties']);
  if (Object.keys(theirs).length === 0) {
    return [{ weight: 'notice', says: 'the provider publishes no input schema' }];
  }
  const required = new Set(Array.isArray(input['required']) ? input['required'] : []);
  const missing = Object.keys(theirs).filter((name) => !Object.hasOwn(row.inputs, name));
  const gone = Object.keys(row.inputs).filter((name) => !Object.hasOwn(theirs, name));
  return [
    ...missing.map((name) => ({
      weight: weightOfMissing(name, objectOf(theirs[name]), required.has(name)),
      says: `${name}: the provider has it, the row does not`,
    })),
    ...gone.map((name) => ({
      weight: Object.hasOwn(row.sends, name) ? ('breaks' as const) : ('notice' as const),
      says: `${name}: the row has it, the provider does not`,
    })),
    ...Object.entries(row.inputs)
      .filter(([name]) => Object.hasOwn(theirs, name))
      .flatMap(([name, field]) => {
        const property = resolved(objectOf(theirs[name]), schemas);
        return fieldDifferences(field, property, required.has(name)).map(({ word, says }) => ({
          // A new value is only not offered; a removed one would be refused.
          weight:
            BREAKING.has(word) && !(word === 'values' && hasAll(property, field))
              ? ('breaks' as const)
              : ('notice' as const),
          says: `${name}: ${says}`,
        }));
      }),
  ];
}

/** Differences for which a request may be refused. */
const BREAKING: ReadonlySet<string> = new Set(['required', 'type', 'minimum', 'maximum', 'values']);

const COSTLY =
  /audio|sound|resolution|quality|mode|duration|seconds|fps|frames|interpol|upscal|hdr|size/i;

/** An input that is never sent has the provider's default, which may cost extra. */
function weightOfMissing(name: string, theirs: Loose, isRequired: boolean): Finding['weight'] {
  if (isRequired) return 'breaks';
  const { default: standard } = theirs;
  const isOff = [undefined, null, false, '', 0].some((off) => off === standard);
  return !isOff && COSTLY.test(name) ? 'costs' : 'notice';
}

/** Enumerations are components of their own, behind a reference. */
function resolved(property: Loose, schemas: Loose): Loose {
  const references = Array.isArray(property['allOf']) ? property['allOf'] : [];
  const parts = references.map((reference) => {
    const target = objectOf(reference)['$ref'];
    return typeof target === 'string'
      ? objectOf(schemas[target.replace('#/components/schemas/', '')])
      : {};
  });
  return Object.assign({}, ...parts, property) as Loose;
}

/** What the row leaves open is not compared. */
function fieldDifferences(
  field: InputField,
  theirs: Loose,
  required: boolean,
): { word: string; says: string }[] {
  const mine: Loose = { ...field };
  const pairs: [string, unknown, unknown][] = [
    ['required', field.required === true, required],
    ['type', typeOf(field), theirs['type']],
    ...(['minimum', 'maximum', 'default'] as const).map((name): [string, unknown, unknown] => [
      name,
      mine[name],
      theirs[name],
    ]),
    // Schemas often name the limits of lists and texts only in words.
    ['max_length', ifSaid(theirs['maxLength'], mine['max_length']), theirs['maxLength']],
    ['max_items', ifSaid(theirs['maxItems'], mine['max_items']), theirs['maxItems']],
    ['values', sorted(mine['enum']), sorted(theirs['enum'])],
  ];
  return pairs
    .filter(([, ours, other]) => ours !== undefined && !same(ours, other))
    .map(([word, ours, other]) => ({
      word,
      says: `${word} is ${said(ours)} in the row, ${said(other)} at the provider`,
    }));
}

function hasAll(theirs: Loose, field: InputField): boolean {
  const known = new Set(sorted(theirs['enum']) as string[] | undefined);
  const mine = 'enum' in field ? (field.enum ?? []) : [];
  return mine.every((value) => known.has(String(value)));
}

const ifSaid = (theirs: unknown, mine: unknown): unknown =>
  theirs === undefined ? undefined : mine;

const typeOf = ({ type }: InputField): string =>
  type === 'uri' ? 'string' : type === 'uris' ? 'array' : type;

const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? [...(value as unknown[])].map(String).sort() : undefined;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const said = (value: unknown): string => (value === undefined ? 'not said' : JSON.stringify(value));

/** Days. */
const OLD_PRICES = 60;
const DAY = 86_400_000;

/** Prices that were read long ago, and an announced end that has passed. `now`: milliseconds. */
export function ageFindings(row: ModelRow, now: number): Finding[] {
  const read = row.prices.map(({ as_of }) => as_of).sort()[0];
  const age = read === undefined ? 0 : Math.floor((now - Date.parse(read)) / DAY);
  const { until } = lifeCycleOf(row);
  const hasPassed = (day: string): boolean => Date.parse(day) <= now;
  return [
    ...(age > OLD_PRICES
      ? [
          {
            weight: 'notice' as const,
            says: `its prices were read ${String(age)} days ago, on ${String(read)}`,
          },
        ]
      : []),
    ...(until !== null && hasPassed(until)
      ? [{ weight: 'notice' as const, says: `its end was announced for ${until}: is it retired?` }]
      : []),
  ];
}
