/**
 * Turns zod's issues into problems a person can act on: a dotted path and "expected X, got Y".
 * Owns the wording only; which values are wrong is decided by the schema.
 */
import { z } from 'zod';
import { decimal } from '../values/decimal.js';
import { nearestWord } from './nearest-word.js';

export const planProblemSchema = z.object({
  path: z.string().meta({ description: 'Dotted; "" for the whole plan.' }),
  message: z.string().meta({ description: 'What was expected, and what came.' }),
});
/** One mistake in a plan. */
export type PlanProblem = z.infer<typeof planProblemSchema>;

type Issue = z.core.$ZodIssue;

/** The fields of an object, by the first key of its path; an unknown field is compared with them. */
export type KnownFields = Readonly<Record<string, { name: string; fields: readonly string[] }>>;

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/** A value in words that fit into a line. */
function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') {
    return value.length <= 60
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, 40))}… (${String(value.length)} characters)`;
  }
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `a ${typeof value}`;
}

const sized = (origin: string, limit: string): string => {
  const isOne = limit.endsWith(' 1');
  if (origin === 'string') return `${limit} ${isOne ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `${limit} ${isOne ? 'entry' : 'entries'}`;
  return limit.startsWith('above') || limit.startsWith('below')
    ? `a number ${limit}`
    : `a number of ${limit}`;
};

const got = (origin: string, value: unknown): string => {
  if (origin === 'string' && typeof value === 'string') return `${String(value.length)} characters`;
  if (origin === 'array' && Array.isArray(value)) return String(value.length);
  const rounded = typeof value === 'number' ? decimal(value) : value;
  return rounded === value
    ? described(value)
    : `${described(value)}, which is ${described(rounded)} to six decimals`;
};

/** The types that a union takes. */
function alternatives(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const kinds = issue.errors
    .flat()
    .flatMap((inner) =>
      inner.code === 'invalid_type' && inner.path.length === 0
        ? [TYPES[inner.expected] ?? inner.expected]
        : [],
    );
  if (kinds.length > 0) return [...new Set(kinds)].join(', ');
  return issue.discriminator === undefined ? 'another form' : `a known ${issue.discriminator}`;
}

function messageOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = TYPES[issue.expected] ?? `a value of type ${issue.expected}`;
      const type = typeof value === 'string' ? ' (a text)' : '';
      return `expected ${expected}, got ${described(value)}${type}`;
    }
    case 'too_small': {
      const limit = `${issue.inclusive === false ? 'above' : 'at least'} ${String(issue.minimum)}`;
      return `expected ${sized(issue.origin, limit)}, got ${got(issue.origin, value)}`;
    }
    case 'too_big': {
      const limit = `${issue.inclusive === false ? 'below' : 'at most'} ${String(issue.maximum)}`;
      return `expected ${sized(issue.origin, limit)}, got ${got(issue.origin, value)}`;
    }
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}, got ${described(value)}`;
    case 'invalid_union':
      return `expected ${alternatives(issue)}, got ${described(value)}`;
    case 'custom':
      return issue.params?.['whole'] === true
        ? issue.message
        : `expected ${issue.message}, got ${described(value)}`;
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return `expected ${issue.message}, got ${described(value)}`;
  }
}

/** The value at a path of the raw plan; nothing where the path leads nowhere. */
function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    root,
  );
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** Of the unknown fields, only the first are compared with known ones. */
const MAX_HINTS = 20;

function unknownFields(
  path: readonly PropertyKey[],
  keys: readonly string[],
  known: KnownFields,
): PlanProblem[] {
  const place = known[String(path[0] ?? '')] ?? { name: 'this object', fields: [] };
  return keys.map((key, index) => {
    const meant = index < MAX_HINTS ? nearestWord(key, place.fields) : null;
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    return {
      path: dotted([...path, key]),
      message: `expected a field of ${place.name}, got ${described(key)}${hint}`,
    };
  });
}

export const shapeProblems = (
  issues: readonly Issue[],
  root: unknown,
  known: KnownFields,
): PlanProblem[] =>
  issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return unknownFields(issue.path, issue.keys, known);
    const value = valueAt(root, issue.path);
    if (issue.path.length === 0 && issue.code === 'invalid_type') {
      return [{ path: '', message: `expected a plan (an object), got ${described(value)}` }];
    }
    return [{ path: dotted(issue.path), message: messageOf(issue, value) }];
  });
