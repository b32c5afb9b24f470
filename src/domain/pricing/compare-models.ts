/**
 * The cost and time of one plan on every model that can make it, and why the others cannot. Pure.
 *
 * COMPARE-1 one model per step: between two steps a server may answer other requests, or stop when the client has left.
 * COMPARE-2 a model gets those settings of the plan that it has; the others are listed in the answer.
 */
import { decimal, sumUsd, total } from '../values/decimal.js';
import type { Comparison, Fit, Unfit } from './estimate.schema.js';
import { isRetired, lifeCycleText } from '../models/life-cycle.js';
import type { ModelRow } from '../models/row.js';
import type { ClipPrompt, Plan } from '../plan/plan.schema.js';
import { atQuality } from '../plan/quality.js';
import type { Quote } from './quote.js';
import { quoting } from './quote.js';
import {
  capProblem,
  checkRatio,
  choicesOf,
  DEFAULTS,
  neededOf,
  resolve,
  type PlanContext,
} from '../plan/resolve.js';
import type { JobChoices } from '../plan/resolve-clip.js';
import { applySettings } from '../plan/model-settings.js';

/** COMPARE-1 */
export function* everyComparison(
  plan: Plan,
  context: PlanContext,
): Generator<Comparison, void, void> {
  for (const row of context.catalogue.values()) yield comparisonOf(plan, row, context);
}

/** The cheapest first, then models of unknown price, then those that cannot make the plan. */
export function ranked(comparisons: readonly Comparison[]): Comparison[] {
  const place = (one: Comparison): number =>
    one.can_make ? (one.estimated_cost_usd ?? Number.MAX_VALUE) : Infinity;
  return [...comparisons].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
}

function comparisonOf(plan: Plan, row: ModelRow, context: PlanContext): Comparison {
  const unfit = (problem: string): Unfit => ({ model: row.id, can_make: false, problem });
  if (isRetired(row)) return unfit(lifeCycleText(row) ?? '');
  const [wrongRatio] = checkRatio(row, plan.aspect_ratio);
  if (wrongRatio !== undefined) return unfit(wrongRatio.message);
  const asked = applySettings(row, plan.settings ?? {});
  const applied = atQuality(row, plan.quality, asked, context.catalogue);
  const wrongQuality = applied.problems.find(({ path }) => path === 'quality');
  if (wrongQuality !== undefined) return unfit(wrongQuality.message);
  const settings = applied.inputs;
  const quote = quoting(choicesOf(plan, row, { context, settings, check_rules: true }));
  const quotes: Quote[] = [];
  for (const clip of plan.clip_prompts) {
    const next = quote(clip);
    if (next === null) return unfit(whyNot(plan, clip, { row, context, settings }));
    quotes.push(next);
  }
  const cap = capProblem({
    model: row.id,
    cap: plan.max_cost_usd ?? null,
    needed: neededOf(plan),
    costs: quotes.map((each) => each.estimated_cost_usd),
  });
  return cap === null
    ? fit(
        plan,
        row,
        quotes,
        applied.problems.map(({ path }) => path),
      )
    : unfit(cap);
}

interface Asked {
  row: ModelRow;
  context: PlanContext;
  settings: JobChoices['settings'];
}

/** The first problem of the first clip that the model cannot make. */
function whyNot(plan: Plan, clip: ClipPrompt, { row, context, settings }: Asked): string {
  const { reference_mode, on_bad_reference, duration_buffer, aspect_ratio } = plan;
  const alone = {
    ...(reference_mode === undefined ? {} : { reference_mode }),
    ...(on_bad_reference === undefined ? {} : { on_bad_reference }),
    ...(duration_buffer === undefined ? {} : { duration_buffer }),
    ...(aspect_ratio === undefined ? {} : { aspect_ratio }),
  };
  const one: Plan = { ...alone, model: row.id, settings, clip_prompts: [clip] };
  const [first] = resolve(one, context).problems;
  return `clip ${String(clip.clip_index)}: ${first?.message ?? 'the model cannot make it'}`;
}

function fit(plan: Plan, row: ModelRow, quotes: readonly Quote[], without: string[]): Fit {
  const rounds = Math.ceil(quotes.length / (plan.batch_size ?? DEFAULTS.batch_size));
  // Clips of one model usually take equally long, so a barrier costs no time.
  const time = total([rounds * row.usual_time]);
  return {
    model: row.id,
    can_make: true,
    estimated_cost_usd: sumUsd(quotes.map((quote) => quote.estimated_cost_usd)),
    requested_duration: total(quotes.map((quote) => quote.requested_duration)),
    makespan: { batches: time, window: time },
    shorter_clips: plan.clip_prompts.filter(
      ({ duration }, place) =>
        decimal(quotes[place]?.requested_duration ?? 0, 3) < decimal(duration, 3),
    ).length,
    without_settings: without,
  };
}
