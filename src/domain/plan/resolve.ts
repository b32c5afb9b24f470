/**
 * Plan → resolved plan: model, lengths, inputs and prices frozen as data. Pure, and without zod. What the model's row
 * forbids is returned as problems; what is sent differently from the plan is returned as warnings.
 */
import { increasePercent } from '../pricing/cost.js';
import { decimal, sumUsd } from '../values/decimal.js';
import { resolveFallbacks, takenOver } from './resolve-fallbacks.js';
import { isRetired, lifeCycleOf, lifeCycleText } from '../models/life-cycle.js';
import type { Catalogue, InputField, ModelRow, Scalar } from '../models/row.js';
import { nearestWord } from './nearest-word.js';
import type { ClipPrompt, Plan } from './plan.schema.js';
import { atQuality, MAX_SEED } from './quality.js';
import { quoting, type Quote } from '../pricing/quote.js';
import { referenceProblems } from '../references/reference-limits.js';
import { lengthsOf, resolveClip, type ClipWork, type JobChoices } from './resolve-clip.js';
import type { Resolution, ResolvedClip, ResolvedModel, ResolvedPlan } from './resolved.js';
import type { PlanProblem } from './plan-problems.schema.js';
import { applySettings } from './model-settings.js';
import { WarningList } from './warning-list.js';

export interface PlanContext {
  catalogue: Catalogue;
  default_model: string;
  duration_buffer: number;
  /** Are composite images built (the default)? If not, models with one image get the scene alone, with a warning. */
  composites?: boolean;
}

export const DEFAULTS = {
  batch_size: 5,
  dispatch: 'batches',
  min_successful_clips: 3,
  clip_timeout: 900,
  stop_when_unreachable: true,
  reference_mode: 'auto',
  on_bad_reference: 'fail',
} as const;

/** A buffer may cost more than this, with a warning. */
const INCREASE_WARNING_PERCENT = 20;

/** Resolves a plan of the right shape on its model and its fallback models. */
export function resolve(plan: Plan, context: PlanContext): Resolution {
  const { fallback_models: names = [], ...asked } = plan;
  const row = context.catalogue.get(plan.model ?? context.default_model);
  const [next, ...later] = names;
  if (row !== undefined && isRetired(row) && next !== undefined) {
    const fallbacks = later.length === 0 ? {} : { fallback_models: later };
    return takenOver(row.id, next, resolve({ ...asked, ...fallbacks, model: next }, context));
  }
  const own = resolveOnOne(plan, context);
  if (names.length === 0 || own.resolved === null || own.problems.length > 0) return own;
  const { model, warnings } = own.resolved;
  const others = resolveFallbacks(names, model.id, (id) =>
    resolveOnOne({ ...plan, model: id }, context),
  );
  return {
    resolved: {
      ...own.resolved,
      fallbacks: others.fallbacks,
      warnings: [...warnings, ...others.warnings],
    },
    problems: others.problems,
  };
}

function resolveOnOne(plan: Plan, context: PlanContext): Resolution {
  const id = plan.model ?? context.default_model;
  const row = context.catalogue.get(id);
  if (row === undefined) return { resolved: null, problems: [unknownModel(plan, id, context)] };
  if (isRetired(row)) return { resolved: null, problems: [retiredModel(plan, row, context)] };

  const asked = applySettings(row, plan.settings ?? {});
  const settings = atQuality(row, plan.quality, asked, context.catalogue);
  const ratio = checkRatio(row, plan.aspect_ratio);
  // A wrong setting would be reported a second time as a wrong combination.
  const check_rules = settings.problems.length + ratio.length === 0;
  const job = choicesOf(plan, row, { context, settings: settings.inputs, check_rules });
  const work = plan.clip_prompts.map((clip, place) => resolveClip(clip, place, job));
  const resolved = assemble(plan, row, work, settings.warnings);
  const problems = [
    ...settings.problems,
    ...ratio,
    ...work.flatMap((item) => item.problems),
    ...referenceProblems(resolved.clips),
    ...capProblems(resolved),
  ];
  if (row.draft === undefined || problems.length > 0) return { resolved, problems };
  const costs = costsByQuality(
    plan,
    choicesOf(plan, row, { context, settings: asked.inputs, check_rules }),
  );
  // A draft whose final the model cannot make is refused, so that it is not paid for.
  return plan.quality === 'draft' && costs.final_cost_usd === undefined
    ? { resolved, problems: resolveOnOne({ ...plan, quality: 'final' }, context).problems }
    : { resolved: { ...resolved, ...costs }, problems };
}

/** The cost of the plan as a draft and as a final; absent where the model cannot make it. */
function costsByQuality(
  plan: Plan,
  job: JobChoices,
): Pick<ResolvedPlan, 'draft_cost_usd' | 'final_cost_usd'> {
  const cost = (more: Readonly<Record<string, Scalar>> = {}): number | null | undefined => {
    const settings = { ...job.settings, ...more };
    const quotes = quotesWith(plan, { ...job, settings, lengths: lengthsOf(job.row, settings) });
    return quotes === null ? undefined : sumUsd(quotes.map((quote) => quote.estimated_cost_usd));
  };
  const [draft, final] = [cost(job.row.draft), cost()];
  return {
    ...(draft === undefined ? {} : { draft_cost_usd: draft }),
    ...(final === undefined ? {} : { final_cost_usd: final }),
  };
}

interface Chosen {
  context: PlanContext;
  settings: JobChoices['settings'];
  check_rules: boolean;
}

export const choicesOf = (
  plan: Plan,
  row: ModelRow,
  { context, settings, check_rules }: Chosen,
): JobChoices => ({
  row,
  settings,
  aspect_ratio: plan.aspect_ratio ?? null,
  buffer: decimal(plan.duration_buffer ?? context.duration_buffer),
  reference_mode: plan.reference_mode ?? DEFAULTS.reference_mode,
  composites: context.composites ?? true,
  text_only: (plan.on_bad_reference ?? DEFAULTS.on_bad_reference) === 'text_only',
  lengths: lengthsOf(row, settings),
  check_rules,
});

/**
 * The length and cost of each clip on another model, with its defaults and `settings`; null where the model cannot make the
 * plan.
 */
export function quotesOf(
  plan: Plan,
  row: ModelRow,
  context: PlanContext,
  settings: JobChoices['settings'] = {},
): Quote[] | null {
  const draft = plan.quality === 'draft' ? row.draft : {};
  if (draft === undefined || checkRatio(row, plan.aspect_ratio).length > 0) return null;
  const choices = { context, settings: { ...settings, ...draft }, check_rules: true };
  return quotesWith(plan, choicesOf(plan, row, choices));
}

function quotesWith(plan: Plan, job: JobChoices): Quote[] | null {
  const quote = quoting(job);
  const quotes: Quote[] = [];
  for (const clip of plan.clip_prompts) {
    const next = quote(clip);
    if (next === null) return null;
    quotes.push(next);
  }
  return quotes;
}

/** Names the successor and the cost of the plan there. */
function retiredModel(plan: Plan, row: ModelRow, context: PlanContext): PlanProblem {
  const { since, successor } = lifeCycleOf(row);
  const next = successor === null ? undefined : context.catalogue.get(successor);
  const instead =
    next === undefined ? '' : `; its successor is ${successorText(plan, row, next, context)}`;
  const message = `expected a model that is not retired, got "${row.id}" (retired since ${String(since)})${instead}`;
  return { path: 'model', message };
}

function successorText(plan: Plan, row: ModelRow, next: ModelRow, context: PlanContext): string {
  const theirs = costOn(plan, next, context);
  if (theirs === undefined) return `${next.id}, which cannot make this plan as it is`;
  if (theirs === null) return `${next.id}, whose price for this plan is not known`;
  const ours = costOn(plan, row, context) ?? null;
  const more = ours === null ? 0 : decimal(theirs - ours, 4);
  const difference =
    ours === null
      ? ''
      : more === 0
        ? ', as much as here'
        : `, $${String(Math.abs(more))} ${more > 0 ? 'more' : 'less'} than here`;
  return `${next.id}, where this plan costs $${String(theirs)}${difference}`;
}

/** With those settings of the plan that the model has. Null: no price is known; undefined: it cannot make the plan. */
function costOn(plan: Plan, row: ModelRow, context: PlanContext): number | null | undefined {
  const quotes = quotesOf(plan, row, context, applySettings(row, plan.settings ?? {}).inputs);
  return quotes === null ? undefined : sumUsd(quotes.map((quote) => quote.estimated_cost_usd));
}

function unknownModel(plan: Plan, id: string, { catalogue }: PlanContext): PlanProblem {
  const ids = [...catalogue.values()].filter((row) => !isRetired(row)).map((row) => row.id);
  const meant = nearestWord(id, ids);
  const hint = meant === null ? '' : `; did you mean "${meant}"?`;
  const from = plan.model === undefined ? ' (the default, VIDEO_GENERATOR_MODEL)' : '';
  return { path: 'model', message: `expected one of ${ids.join(', ')}, got "${id}"${from}${hint}` };
}

export function checkRatio(row: ModelRow, asked: string | undefined): PlanProblem[] {
  const { values } = row.aspect_ratio;
  if (asked === undefined || values.includes(asked)) return [];
  const expected =
    values.length > 0
      ? `${values.length === 1 ? '' : 'one of '}${values.join(', ')} with ${row.id}`
      : `no aspect_ratio with ${row.id}`;
  return [{ path: 'aspect_ratio', message: `expected ${expected}, got "${asked}"` }];
}

function assemble(
  plan: Plan,
  row: ModelRow,
  work: readonly ClipWork[],
  settingWarnings: readonly string[],
): ResolvedPlan {
  const ordered = [...work].sort((a, b) => a.clip.clip_index - b.clip.clip_index);
  const clips = ordered.map(({ clip }) => clip);
  const estimated = sumUsd(clips.map((clip) => clip.estimated_cost_usd));
  const warnings = new WarningList(clips.length);
  for (const { clip, warnings: some } of ordered) warnings.add(clip.clip_index, some);
  const partial = {
    model: modelOf(row),
    labels: plan.labels ?? [],
    batch_size: plan.batch_size ?? DEFAULTS.batch_size,
    dispatch: plan.dispatch ?? DEFAULTS.dispatch,
    min_successful_clips: neededOf(plan),
    max_cost_usd: plan.max_cost_usd ?? null,
    clip_timeout: plan.clip_timeout ?? DEFAULTS.clip_timeout,
    stop_when_unreachable: plan.stop_when_unreachable ?? DEFAULTS.stop_when_unreachable,
    on_bad_reference: plan.on_bad_reference ?? DEFAULTS.on_bad_reference,
    ...(plan.quality === undefined ? {} : { quality: plan.quality }),
    ...(plan.draft_of === undefined ? {} : { draft_of: plan.draft_of }),
    clips,
    estimated_cost_usd: estimated,
    cost_increase_percent: jobIncrease(clips),
  };
  const jobWarnings = [
    ...settingWarnings,
    ...modelWarnings(plan, row),
    ...increaseWarning(partial),
  ];
  return { ...partial, warnings: [...jobWarnings, ...warnings.lines()] };
}

/** How many clips have to succeed. */
export const neededOf = ({ min_successful_clips, clip_prompts }: Plan): number =>
  min_successful_clips ?? Math.min(DEFAULTS.min_successful_clips, clip_prompts.length);

/** The version of a community model without a pin is null until its newest version is looked up and frozen. */
const modelOf = (row: ModelRow): ResolvedModel => ({
  id: row.id,
  version: row.official ? null : row.version,
  prompt_input: row.prompt,
  negative_prompt_input: row.negative_prompt,
  bills_failed: row.bills_failed,
  ...(row.seed === null ? {} : { seed: { input: row.seed, most: mostOf(row.inputs[row.seed]) } }),
});

const mostOf = (field: InputField | undefined): number =>
  Math.min(
    MAX_SEED,
    field !== undefined && 'maximum' in field ? (field.maximum ?? MAX_SEED) : MAX_SEED,
  );

const seconds = (clips: readonly ResolvedClip[]): number =>
  clips.reduce((sum, clip) => sum + clip.requested_duration, 0);

function jobIncrease(clips: readonly ResolvedClip[]): number {
  const asked = sumUsd(clips.map((clip) => clip.estimated_cost_usd));
  const plain = sumUsd(clips.map((clip) => clip.unbuffered_cost_usd ?? null));
  if (asked !== null && plain !== null) return increasePercent(asked, plain);
  // Without a price, seconds stand in: every video model charges more for more seconds.
  const shorter = clips.reduce(
    (sum, clip) => sum + clip.requested_duration / (1 + clip.cost_increase_percent / 100),
    0,
  );
  return increasePercent(seconds(clips), shorter);
}

function modelWarnings(plan: Plan, row: ModelRow): string[] {
  const some = (test: (clip: ClipPrompt) => boolean): boolean => plan.clip_prompts.some(test);
  const timeout = plan.clip_timeout ?? DEFAULTS.clip_timeout;
  const life = lifeCycleText(row);
  return [
    ...(life === null ? [] : [`${row.id} is ${life}`]),
    ...(row.prompt === null ? [`${row.id} takes no prompt: the texts are not sent`] : []),
    ...(row.negative_prompt === null && some((clip) => (clip.negative_prompt ?? '') !== '')
      ? [`${row.id} takes no negative prompt: it is not sent`]
      : []),
    ...(row.seed === null && some((clip) => clip.seed !== undefined)
      ? [`${row.id} takes no seed: it is not sent`]
      : []),
    ...(row.prices.length === 0 ? [`no price of ${row.id} is known: its costs stay open`] : []),
    ...(timeout < row.usual_time
      ? [
          `clip_timeout is ${String(timeout)} s, but ${row.id} usually takes ${String(row.usual_time)} s`,
        ]
      : []),
  ];
}

function increaseWarning({
  cost_increase_percent: more,
}: {
  cost_increase_percent: number;
}): string[] {
  return more > INCREASE_WARNING_PERCENT
    ? [`the requested durations cost ${String(more)} % more than the closest ones would`]
    : [];
}

interface Capped {
  model: string;
  cap: number | null;
  /** How many clips have to succeed. */
  needed: number;
  costs: readonly (number | null)[];
}

/** A cap needs known prices, and has to cover the clips that must succeed. */
export function capProblem({ model, cap, needed, costs }: Capped): string | null {
  if (cap === null) return null;
  const known = costs.filter((cost) => cost !== null).sort((a, b) => a - b);
  if (known.length < costs.length) {
    return `expected no cap, because no price of ${model} is known for this plan, got ${String(cap)}`;
  }
  const cheapest = sumUsd(known.slice(0, needed)) ?? 0;
  return cheapest <= cap
    ? null
    : `expected at least ${String(cheapest)}, what the cheapest ${String(needed)} of ${String(costs.length)} clips cost, got ${String(cap)}`;
}

function capProblems(resolved: ResolvedPlan): PlanProblem[] {
  const message = capProblem({
    model: resolved.model.id,
    cap: resolved.max_cost_usd,
    needed: resolved.min_successful_clips,
    costs: resolved.clips.map((clip) => clip.estimated_cost_usd),
  });
  return message === null ? [] : [{ path: 'max_cost_usd', message }];
}
