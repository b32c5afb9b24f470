/**
 * Whether a prediction is what a clip has asked for. The provider may store more than it was sent, keep files elsewhere
 * and call the model by another name: what was sent has to be in it, and the closest of several comes first.
 *
 * MATCH-1 Another model's prediction is taken only when that name is no model of the catalogue, and the clip has a prompt
 *    that tells it from others.
 * MATCH-2 A prediction whose input the provider has erased (after an hour) is taken last, and only of the clip's own model.
 */
import { fitOf, FITS, marksOf, providersHosts } from '../adapters/replicate/input-fingerprint.js';
import type { Listed } from '../adapters/replicate/prediction-index.js';
import type { Deps } from './deps.js';

export interface SentInput {
  model: string;
  input: Record<string, unknown>;
}

/** Null: the prediction is not the clip's. Lower numbers are closer; `ERASED` is only a possible match. */
export type DistanceTo = (listed: Pick<Listed, 'model' | 'marks' | 'is_erased'>) => number | null;

const RENAMED = FITS.length;
export const ERASED = 2 * RENAMED;

export function inputMatcher(
  { model, input }: SentInput,
  { plan, provider_origin }: Pick<Deps, 'plan' | 'provider_origin'>,
): DistanceTo {
  const sent = marksOf(input);
  const isProviders = providersHosts(provider_origin);
  const { catalogue } = plan;
  const prompt = catalogue.get(model)?.prompt ?? null;
  const hasPrompt = prompt !== null && sent[prompt] !== undefined;
  const modelDistance = (name: string): number | null => {
    if (name === model || name === '') return 0;
    return hasPrompt && !catalogue.has(name) ? RENAMED : null; // MATCH-1
  };
  return (listed) => {
    const isKnown = Object.keys(listed.marks).length > 0;
    if (listed.is_erased && !isKnown) return listed.model === model ? ERASED : null; // MATCH-2
    const distance = modelDistance(listed.model);
    const fit = distance === null ? null : fitOf(sent, listed.marks, isProviders);
    return distance === null || fit === null ? null : distance + FITS.indexOf(fit);
  };
}
