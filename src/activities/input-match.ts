/**
 * Whether a prediction is what a clip has asked for. The provider may store more than it was sent, keep files elsewhere
 * and call the model by another name: what was sent has to be in it, and the closest of several comes first.
 *
 * M1 Another model's prediction is taken only when that name is no model of the catalogue, and the clip has a prompt that
 *    tells it from others.
 * M2 One whose input the provider has erased (it does so after an hour) is the last that is taken for it, and only of its
 *    own model.
 */
import { fitOf, FITS, marksOf, providersHosts } from '../adapters/replicate/input-fingerprint.js';
import type { Listed } from '../adapters/replicate/prediction-index.js';
import type { Deps } from './deps.js';

export interface Asked {
  model: string;
  input: Record<string, unknown>;
}

/** Null: it is another's. Lower numbers are closer; `ERASED` is no more than possible. */
export type Likeness = (listed: Pick<Listed, 'model' | 'marks' | 'is_erased'>) => number | null;

const RENAMED = FITS.length;
export const ERASED = 2 * RENAMED;

export function likenessTo(
  { model, input }: Asked,
  { plan, provider_origin }: Pick<Deps, 'plan' | 'provider_origin'>,
): Likeness {
  const sent = marksOf(input);
  const isProviders = providersHosts(provider_origin);
  const { catalogue } = plan;
  const prompt = catalogue.get(model)?.prompt ?? null;
  const hasPrompt = prompt !== null && sent[prompt] !== undefined;
  const byModel = (name: string): number | null => {
    if (name === model || name === '') return 0;
    return hasPrompt && !catalogue.has(name) ? RENAMED : null; // M1
  };
  return (listed) => {
    const isKnown = Object.keys(listed.marks).length > 0;
    if (listed.is_erased && !isKnown) return listed.model === model ? ERASED : null; // M2
    const name = byModel(listed.model);
    const fit = name === null ? null : fitOf(sent, listed.marks, isProviders);
    return name === null || fit === null ? null : name + FITS.indexOf(fit);
  };
}
