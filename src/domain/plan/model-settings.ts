/**
 * Maps a plan's `settings` to inputs of the model: generic names (resolution, fps, steps, motion, audio, guidance) by the
 * row's table, and optional inputs of the model by their own names. Pure. Reports every mistake at once.
 */
import type { PlanProblem } from './plan-problems.schema.js';
import type { InputField, ModelRow, Scalar, SettingRule } from '../models/row.js';
import { shortened } from '../values/well-formed.js';

export interface AppliedSettings {
  inputs: Record<string, Scalar>;
  warnings: string[];
  problems: PlanProblem[];
}

const MAX_SHOWN = 61;
const show = (value: unknown): string =>
  typeof value === 'string' ? `"${shortened(value, MAX_SHOWN)}"` : String(value);
const own = <T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;

/** Inputs that a plan sets by fields of their own; `settings` cannot set them again. */
const reserved = (row: ModelRow): Set<string | null> =>
  new Set([
    row.prompt,
    row.negative_prompt,
    row.seed,
    row.start_image,
    row.end_image,
    row.references?.input ?? null,
    row.duration.input,
    row.aspect_ratio.input,
  ]);

/** The model's own scalar inputs that may be set by name. */
function ownSettings(row: ModelRow): string[] {
  const taken = reserved(row);
  return Object.entries(row.inputs)
    .filter(([name, { type }]) => !taken.has(name) && type !== 'uri' && type !== 'uris')
    .map(([name]) => name);
}

/** Every name that `settings` may have for this model. */
const settingNames = (row: ModelRow): string[] => [
  ...new Set([...Object.keys(row.settings), ...ownSettings(row)]),
];

const NUMBERS: Partial<Record<InputField['type'], string>> = {
  integer: 'a whole number',
  number: 'a number',
};

/** What the field takes, in words; null when the value fits. */
export function misfit(field: InputField, value: Scalar): string | null {
  const allowed: readonly Scalar[] | undefined = 'enum' in field ? field.enum : undefined;
  if (allowed !== undefined) {
    return allowed.includes(value) ? null : `one of ${allowed.map(show).join(', ')}`;
  }
  if (field.type === 'integer' || field.type === 'number') return misfitNumber(field, value);
  if (field.type === 'boolean') return typeof value === 'boolean' ? null : 'true or false';
  if (typeof value !== 'string') return 'a text';
  const most = 'max_length' in field ? (field.max_length ?? Infinity) : Infinity;
  return value.length <= most ? null : `at most ${String(most)} characters`;
}

function misfitNumber(
  field: Extract<InputField, { type: 'integer' | 'number' }>,
  value: Scalar,
): string | null {
  const { minimum, maximum } = field;
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (field.type === 'number' || Number.isInteger(value)) &&
    value >= (minimum ?? -Infinity) &&
    value <= (maximum ?? Infinity);
  if (fits) return null;
  const range =
    minimum !== undefined && maximum !== undefined
      ? ` from ${String(minimum)} to ${String(maximum)}`
      : minimum !== undefined
        ? ` of at least ${String(minimum)}`
        : '';
  return `${NUMBERS[field.type] ?? ''}${range}`;
}

type Outcome =
  | { send: { input: string; value: Scalar } }
  | { warning: string }
  | { expected: string }
  | { nothing: true };

function applyRule(row: ModelRow, name: string, rule: SettingRule, value: Scalar): Outcome {
  const differs = own(rule.differs, String(value)) ?? own(rule.differs, '*');
  if (rule.input === null) {
    if (rule.only?.includes(value)) return { nothing: true };
    if (differs !== undefined) {
      return { warning: `settings.${name}: asked ${show(value)}, but ${differs} (${row.id})` };
    }
    return { expected: `${(rule.only ?? []).map(show).join(' or ')} with ${row.id}` };
  }
  const sent = own(rule.as, String(value)) ?? value;
  const field = row.inputs[rule.input];
  const wrong = field === undefined ? null : misfit(field, sent);
  if (wrong === null) return { send: { input: rule.input, value: sent } };
  const words = Object.keys(rule.as ?? {});
  return { expected: `${words.length > 0 ? `one of ${words.join(', ')}` : wrong} with ${row.id}` };
}

const unknownSetting = (row: ModelRow): Outcome => {
  const names = settingNames(row);
  const expected = `a setting of ${row.id} (${names.join(', ')})`;
  return { expected: names.length > 0 ? expected : `no settings with ${row.id}` };
};

export function applySettings(
  row: ModelRow,
  settings: Readonly<Record<string, Scalar>>,
): AppliedSettings {
  const applied: AppliedSettings = { inputs: {}, warnings: [], problems: [] };
  // Computed once: a body has room for a hundred thousand settings.
  const inputs = new Set(ownSettings(row));
  const unknown = unknownSetting(row);
  for (const [name, value] of Object.entries(settings)) {
    const rule = own(row.settings, name) ?? (inputs.has(name) ? { input: name } : null);
    const outcome = rule === null ? unknown : applyRule(row, name, rule, value);
    if ('send' in outcome) applied.inputs[outcome.send.input] = outcome.send.value;
    if ('warning' in outcome) applied.warnings.push(outcome.warning);
    if ('expected' in outcome) {
      applied.problems.push({
        path: `settings.${name}`,
        message: `expected ${outcome.expected}, got ${show(rule === null ? name : value)}`,
      });
    }
  }
  return applied;
}
