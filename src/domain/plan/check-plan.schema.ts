/**
 * The only check of a plan, for every way in: shape, limits and the model's rules, with all problems in one answer. Where a
 * part has the wrong shape, the others are still checked against the model.
 */
import {
  byteLength,
  CLIP_FIELDS,
  crossFieldProblems,
  KNOWN_FIELDS,
  MAX_CLIPS,
  MAX_PLAN_BYTES,
  PLAN_FIELDS,
  planFieldsSchema,
  type ClipPrompt,
  type Plan,
} from './plan.schema.js';
import { DEEPEST, isShallow } from '../values/nesting.js';
import { shapeProblems } from './plan-problems.schema.js';
import { resolve, type PlanContext } from './resolve.js';
import type { Checked } from './resolved.js';
import type { PlanProblem } from './plan-problems.schema.js';
import { wellFormed } from '../values/well-formed.js';

export { MAX_PLAN_BYTES } from './plan.schema.js';
export type { PlanContext } from './resolve.js';

/** A longer list would not be read. */
const MAX_PROBLEMS = 100;

export function checkPlan(value: unknown, context: PlanContext): Checked {
  const tooMuch = depthProblem(value) ?? sizeProblem(value);
  if (tooMuch !== null) return { ok: false, problems: [tooMuch] };
  const parsed = planFieldsSchema.safeParse(withoutSurplus(value));
  if (parsed.success) {
    const plan = parsed.data as Plan;
    const { resolved, problems } = resolve(plan, context);
    const all = [...crossFieldProblems(plan), ...problems];
    return resolved !== null && all.length === 0
      ? { ok: true, plan, resolved }
      : { ok: false, problems: limited(all) };
  }
  const shape = shapeProblems(parsed.error.issues, value, KNOWN_FIELDS);
  return { ok: false, problems: limited([...shape, ...otherProblems(value, shape, context)]) };
}

/** The part of the check that depends on no model. */
export function checkShape(
  value: unknown,
): { ok: true; plan: Plan } | { ok: false; problems: PlanProblem[] } {
  const tooMuch = depthProblem(value) ?? sizeProblem(value);
  if (tooMuch !== null) return { ok: false, problems: [tooMuch] };
  const parsed = planFieldsSchema.safeParse(withoutSurplus(value));
  if (!parsed.success) {
    const problems = limited(shapeProblems(parsed.error.issues, value, KNOWN_FIELDS));
    return { ok: false, problems };
  }
  const plan = parsed.data as Plan;
  const problems = limited(crossFieldProblems(plan));
  return problems.length === 0 ? { ok: true, plan } : { ok: false, problems };
}

/** Checked first: other code recurses into the value, and how deep it can go differs between processes. */
const depthProblem = (value: unknown): PlanProblem | null =>
  isShallow(value)
    ? null
    : { path: '', message: `expected lists and objects at most ${String(DEEPEST)} deep, got more` };

function sizeProblem(value: unknown): PlanProblem | null {
  if (typeof value !== 'object' || value === null) return null;
  const bytes = sizeOf(value);
  if (bytes <= MAX_PLAN_BYTES) return null;
  const size = bytes === Infinity ? 'something that is not JSON' : `${String(bytes)} bytes`;
  return {
    path: '',
    message: `expected at most ${String(MAX_PLAN_BYTES)} bytes of JSON, got ${size}`,
  };
}

/** Cuts a list that is too long to one clip above the limit: it is refused all the same, and sooner. */
function withoutSurplus(value: unknown): unknown {
  if (!isObject(value) || !Array.isArray(value['clip_prompts'])) return value;
  const clip_prompts: unknown[] = value['clip_prompts'];
  return clip_prompts.length > MAX_CLIPS
    ? { ...value, clip_prompts: clip_prompts.slice(0, MAX_CLIPS + 1) }
    : value;
}

function sizeOf(value: object): number {
  try {
    return byteLength(value);
  } catch {
    return Infinity;
  }
}

/** Well-formed, because messages quote unknown names as they were sent. */
function limited(problems: readonly PlanProblem[]): PlanProblem[] {
  const listed = problems.slice(0, MAX_PROBLEMS).map((problem) => wellFormed(problem));
  const more = problems.length - listed.length;
  return more > 0
    ? [...listed, { path: '', message: `and ${String(more)} more problems` }]
    : listed;
}

/** The model's problems with those parts of the plan whose shape is right. */
function otherProblems(
  value: unknown,
  shape: readonly PlanProblem[],
  context: PlanContext,
): PlanProblem[] {
  const plan = salvage(value);
  if (plan === null) return [];
  const broken = shape.map(({ path }) => path);
  const touched = (path: string): boolean =>
    broken.some((bad) => bad === path || path.startsWith(`${bad}.`) || bad.startsWith(`${path}.`));
  const { problems } = resolve(plan, context);
  const unsure = unsureAfter(broken);
  return [...crossFieldProblems(plan), ...problems].filter(
    ({ path }) => !touched(path) && !unsure.includes(path),
  );
}

/** Paths that a plan with placeholders cannot be checked for: the cap without the real clips, counts without the real list. */
function unsureAfter(broken: readonly string[]): string[] {
  const clips = broken.some((path) => path.startsWith('clip_prompts'));
  const settings = broken.some((path) => path.startsWith('settings'));
  const whole = broken.includes('clip_prompts');
  return [
    ...(clips || settings ? ['max_cost_usd'] : []),
    ...(whole ? ['total_clips', 'min_successful_clips'] : []),
  ];
}

type Loose = Record<string, unknown>;
const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Field {
  safeParse: (value: unknown) => { success: boolean; data?: unknown };
}

/** The fields that are present and valid by themselves. */
function rightFields(value: Loose, shape: Readonly<Record<string, Field>>): Loose {
  const kept: Loose = {};
  for (const [name, field] of Object.entries(shape)) {
    if (!Object.hasOwn(value, name)) continue;
    const parsed = field.safeParse(value[name]);
    if (parsed.success && parsed.data !== null) kept[name] = parsed.data;
  }
  return kept;
}

/** A plan of the valid parts of `value`, with placeholders for the others; null where `value` is no object. */
function salvage(value: unknown): Plan | null {
  if (!isObject(value)) return null;
  const { clip_prompts: _whole, ...others } = PLAN_FIELDS;
  const given: unknown = value['clip_prompts'];
  const list: unknown[] = Array.isArray(given) && given.length > 0 ? given : [null];
  const clips = list.slice(0, MAX_CLIPS).map(salvageClip);
  return { ...rightFields(value, others), clip_prompts: clips };
}

/** A placeholder's index is negative, which no plan can have, so that it never counts as repeated. */
function salvageClip(value: unknown, place: number): ClipPrompt {
  const kept = isObject(value) ? rightFields(value, CLIP_FIELDS) : {};
  return { clip_index: -1 - place, prompt: '-', duration: 5, ...kept };
}
