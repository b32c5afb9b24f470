/**
 * A catalogue row against the schema that the provider publishes for the model: every difference that could make a
 * request fail or cost something else, a sentence each. Reads leniently: a schema may hold anything. Pure.
 */
import type { InputField, ModelRow } from '../domain/models/row.js';

type Loose = Record<string, unknown>;

const objectOf = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};

export function differences(row: ModelRow, openapiSchema: unknown): string[] {
  const schemas = objectOf(objectOf(objectOf(openapiSchema)['components'])['schemas']);
  const input = objectOf(schemas['Input']);
  const theirs = objectOf(input['properties']);
  if (Object.keys(theirs).length === 0) return ['the provider publishes no input schema'];
  const required = new Set(Array.isArray(input['required']) ? input['required'] : []);
  const missing = Object.keys(theirs).filter((name) => !Object.hasOwn(row.inputs, name));
  const gone = Object.keys(row.inputs).filter((name) => !Object.hasOwn(theirs, name));
  return [
    ...missing.map((name) => `${name}: the provider has it, the row does not`),
    ...gone.map((name) => `${name}: the row has it, the provider does not`),
    ...Object.entries(row.inputs)
      .filter(([name]) => Object.hasOwn(theirs, name))
      .flatMap(([name, field]) => {
        const property = resolved(objectOf(theirs[name]), schemas);
        return fieldDifferences(field, property, required.has(name)).map(
          (says) => `${name}: ${says}`,
        );
      }),
  ];
}

/** Enumerations stand in a component of their own, behind a reference. */
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

/** A row's word → the provider's; what the row leaves open is not compared. */
function fieldDifferences(field: InputField, theirs: Loose, required: boolean): string[] {
  const mine: Loose = { ...field };
  const pairs: [string, unknown, unknown][] = [
    ['required', field.required === true, required],
    ['type', typeOf(field), theirs['type']],
    ...(['minimum', 'maximum', 'default'] as const).map((name): [string, unknown, unknown] => [
      name,
      mine[name],
      theirs[name],
    ]),
    ['max_length', mine['max_length'], theirs['maxLength']],
    ['max_items', mine['max_items'], theirs['maxItems']],
    ['values', sorted(mine['enum']), sorted(theirs['enum'])],
  ];
  return pairs
    .filter(([, ours, other]) => ours !== undefined && !same(ours, other))
    .map(
      ([name, ours, other]) =>
        `${name} is ${said(ours)} in the row, ${said(other)} at the provider`,
    );
}

const typeOf = ({ type }: InputField): string =>
  type === 'uri' ? 'string' : type === 'uris' ? 'array' : type;

const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? [...(value as unknown[])].map(String).sort() : undefined;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const said = (value: unknown): string => (value === undefined ? 'not said' : JSON.stringify(value));
