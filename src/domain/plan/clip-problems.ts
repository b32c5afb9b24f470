/** What a model's row forbids in one clip; `path` is the clip's place in the plan. Pure. */
import type { ModelRow } from '../models/row.js';
import { misfit } from './model-settings.js';
import { brokenRules, effective, inputsOf } from '../models/rules.js';
import type { ClipPrompt } from './plan.schema.js';
import type { PlanProblem } from './plan-problems.schema.js';

type Input = Record<string, unknown>;

export function missingImages(row: ModelRow, input: Input, path: string): PlanProblem[] {
  const missing = Object.entries(row.inputs).filter(
    ([name, field]) =>
      field.required === true && field.type === 'uri' && !Object.hasOwn(input, name),
  );
  return missing.map(([name]) => ({
    path: `${path}.scene_reference_url`,
    message: `expected an image, because ${row.id} needs one (${name}), got nothing that fits`,
  }));
}

/** Checks texts and seed against the model's limits; the texts are not part of `input`. */
export const fieldProblems = (row: ModelRow, asked: ClipPrompt, path: string): PlanProblem[] => [
  ...textProblems(row, asked, path),
  ...seedProblems(row, asked, path),
];

function seedProblems(row: ModelRow, { seed }: ClipPrompt, path: string): PlanProblem[] {
  const field = row.seed === null ? undefined : row.inputs[row.seed];
  const expected = field === undefined || seed === undefined ? null : misfit(field, seed);
  if (expected === null) return [];
  const message = `expected ${expected} with ${row.id}, got ${String(seed)}`;
  return [{ path: `${path}.seed`, message }];
}

function textProblems(row: ModelRow, asked: ClipPrompt, path: string): PlanProblem[] {
  const texts: [string, string | null, string][] = [
    ['prompt', row.prompt, asked.prompt],
    ['negative_prompt', row.negative_prompt, asked.negative_prompt ?? ''],
  ];
  return texts.flatMap(([name, input, text]) => {
    const field = input === null ? undefined : row.inputs[input];
    const most = field?.type === 'string' ? (field.max_length ?? Infinity) : Infinity;
    if (text.length <= most) return [];
    const message = `expected at most ${String(most)} characters with ${row.id}, got ${String(text.length)} characters`;
    return [{ path: `${path}.${name}`, message }];
  });
}

export const ruleProblems = (row: ModelRow, input: Input, path: string): PlanProblem[] =>
  brokenRules(row, input).map(({ says, then }) => {
    const given = then
      .flatMap(inputsOf)
      .map((name) => `${name} ${JSON.stringify(effective(row, input, name) ?? null)}`)
      .join(' and ');
    return { path, message: `expected that ${says} (${row.id}), got ${given}` };
  });
