/**
 * Checks a model's input as Replicate does before it accepts anything: required, type, enumeration, bounds,
 * unknown names. What only the model itself would notice is not checked here. The wording is that of the
 * validator Replicate uses (gojsonschema).
 */
import type { InvalidField } from './refusals.js';

export interface InputProperty {
  type: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  description?: string;
  enum?: readonly (string | number)[];
  minimum?: number;
  maximum?: number;
  max_length?: number;
  max_items?: number;
  default?: unknown;
  /** A URL of a file. */
  uri?: boolean;
}

export interface InputSchema {
  required: readonly string[];
  properties: Readonly<Record<string, InputProperty>>;
}

export type UnknownInputs = 'reject' | 'ignore';

export function invalidInputs(
  input: Readonly<Record<string, unknown>>,
  schema: InputSchema,
  unknown: UnknownInputs,
): InvalidField[] {
  const missing = schema.required
    .filter((name) => input[name] === undefined)
    .map((name) => invalid('required', 'input', `${name} is required`));
  const wrong = Object.entries(input).flatMap(([name, value]) => {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (property !== undefined) return invalidValue(name, value, property);
    if (unknown === 'ignore') return [];
    const description = `Additional property ${name} is not allowed`;
    return [invalid('additional_property_not_allowed', 'input', description)];
  });
  return [...missing, ...wrong];
}

const invalid = (type: string, field: string, description: string): InvalidField => ({
  type,
  field,
  description,
});

function invalidValue(name: string, value: unknown, property: InputProperty): InvalidField[] {
  const field = `input.${name}`;
  const given = typeName(value);
  if (given !== property.type && !(property.type === 'number' && given === 'integer')) {
    const description = `Invalid type. Expected: ${property.type}, given: ${given}`;
    return [invalid('invalid_type', field, description)];
  }
  return LIMITS.flatMap(({ type, breaks }) => {
    const description = breaks(value, property, name);
    return description === null ? [] : [invalid(type, field, description)];
  });
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

interface Limit {
  type: string;
  breaks: (value: unknown, property: InputProperty, name: string) => string | null;
}

const LIMITS: readonly Limit[] = [
  {
    type: 'enum',
    breaks: (value, { enum: allowed }, name) =>
      allowed === undefined || allowed.some((item) => item === value)
        ? null
        : `${name} must be one of the following: ${allowed.map((item) => JSON.stringify(item)).join(', ')}`,
  },
  {
    type: 'number_gte',
    breaks: (value, { minimum }) =>
      minimum !== undefined && typeof value === 'number' && value < minimum
        ? `Must be greater than or equal to ${String(minimum)}`
        : null,
  },
  {
    type: 'number_lte',
    breaks: (value, { maximum }) =>
      maximum !== undefined && typeof value === 'number' && value > maximum
        ? `Must be less than or equal to ${String(maximum)}`
        : null,
  },
  {
    type: 'string_lte',
    breaks: (value, { max_length: most }) =>
      most !== undefined && typeof value === 'string' && value.length > most
        ? `String length must be less than or equal to ${String(most)}`
        : null,
  },
  {
    type: 'array_max_items',
    breaks: (value, { max_items: most }) =>
      most !== undefined && Array.isArray(value) && value.length > most
        ? `Array must have at most ${String(most)} items`
        : null,
  },
  {
    type: 'format',
    breaks: (value, { uri }) =>
      uri === true && typeof value === 'string' && !URL.canParse(value)
        ? "Does not match format 'uri'"
        : null,
  },
];
