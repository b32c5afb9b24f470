/**
 * Other models of the catalogue that could do the same for less. Pure.
 *
 * ALTERNATIVE-1 one model per step: between two steps a server may answer other requests, or stop when the client has left.
 */
import { decimal, sumUsd, total } from '../values/decimal.js';
import { isRetired } from '../models/life-cycle.js';
import type { Alternative } from './estimate.schema.js';
import type { Plan } from '../plan/plan.schema.js';
import type { Quote } from './quote.js';
import { quotesOf, type PlanContext } from '../plan/resolve.js';
import type { ResolvedClip, ResolvedPlan } from '../plan/resolved.js';

const MAX_ALTERNATIVES = 3;

/** The cheapest other models that make the same plan as completely; their settings are the defaults. */
export const alternativesFor = (
  plan: Plan,
  resolved: ResolvedPlan,
  context: PlanContext,
): Alternative[] => cheapest([...everyAlternative(plan, resolved, context)]);

export const cheapest = (found: readonly (Alternative | null)[]): Alternative[] =>
  found
    .filter((item) => item !== null)
    .sort((a, b) => a.estimated_cost_usd - b.estimated_cost_usd)
    .slice(0, MAX_ALTERNATIVES);

/** ALTERNATIVE-1; null for a model that is no alternative. */
export function* everyAlternative(
  plan: Plan,
  resolved: ResolvedPlan,
  context: PlanContext,
): Generator<Alternative | null, void, void> {
  const price = resolved.estimated_cost_usd;
  if (price === null) return;
  // By index, like the clips of a resolved plan.
  const clip_prompts = [...plan.clip_prompts].sort((a, b) => a.clip_index - b.clip_index);
  const ordered = { ...plan, clip_prompts };
  for (const row of context.catalogue.values()) {
    if (row.id === resolved.model.id || isRetired(row)) continue;
    // A model that ignores the texts is no alternative.
    if (resolved.model.prompt_input !== null && row.prompt === null) continue;
    const quotes = quotesOf(ordered, row, context);
    yield quotes === null ? null : alternative(resolved, { model: row.id, quotes }, price);
  }
}

interface Other {
  model: string;
  /** In the order of the plan's clips. */
  quotes: readonly Quote[];
}

/** To the millisecond, like requested durations. */
const covers = ({ requested_duration }: Quote, target: number): boolean =>
  decimal(requested_duration, 3) >= decimal(target, 3);

function alternative(now: ResolvedPlan, other: Other, price: number): Alternative | null {
  const { model, quotes } = other;
  const cost = sumUsd(quotes.map((quote) => quote.estimated_cost_usd));
  if (cost === null || cost >= price) return null;
  // A model that falls short where this one does not is no alternative either.
  const fallsShort = now.clips.some((clip, place) => {
    const theirs = quotes[place];
    const target = clip.target_duration;
    return theirs !== undefined && covers(clip, target) && !covers(theirs, target);
  });
  if (fallsShort) return null;
  const message = comparison(now.clips, other, cost);
  return {
    model,
    estimated_cost_usd: cost,
    requested_duration: total(quotes.map((quote) => quote.requested_duration)),
    saves_percent: decimal((1 - cost / price) * 100, 1),
    message,
    says: message,
  };
}

/** Compares the clip with the greatest difference: one clip is easier to check than a sum. */
function comparison(
  clips: readonly ResolvedClip[],
  { model, quotes }: Other,
  cost: number,
): string {
  const saving = (place: number): number =>
    (clips[place]?.estimated_cost_usd ?? 0) - (quotes[place]?.estimated_cost_usd ?? 0);
  const place = clips.reduce((best, _, index) => (saving(index) > saving(best) ? index : best), 0);
  const mine = clips[place];
  const theirs = quotes[place];
  if (mine === undefined || theirs === undefined) return `${model} asks $${String(cost)}`;
  return (
    `${String(mine.target_duration)} s costs ${String(mine.requested_duration)} s here ($${String(mine.estimated_cost_usd)}); ` +
    `${model} asks ${String(theirs.requested_duration)} s for $${String(theirs.estimated_cost_usd)}`
  );
}
