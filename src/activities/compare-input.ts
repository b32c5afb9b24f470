/**
 * Holds what the provider says it was asked against what it was asked, after each create that was answered: a lost one is
 * found again by that. What differs is said once a model and field, before it matters.
 */
import { driftsOf, marksOf, providersHosts } from '../adapters/replicate/input-fingerprint.js';
import type { Drift } from '../adapters/replicate/input-fingerprint.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import type { Deps } from './deps.js';
import type { Asked } from './input-match.js';

interface Log {
  info(message: string, attributes: object): void;
  warn(message: string, attributes: object): void;
}

/** What each drift means for a search. */
const MEANS: Record<Drift, { level: keyof Log; says: string }> = {
  added: { level: 'info', says: 'stores a field that was not sent; searches leave it out' },
  rewritten: { level: 'info', says: 'keeps a file elsewhere; searches do not compare it' },
  changed: { level: 'warn', says: 'stores another value than was sent: no search would find it' },
  missing: { level: 'warn', says: 'does not store a field that was sent: no search would find it' },
};

const told = new Set<string>();

export function noteEcho(
  log: Log,
  sent: Asked,
  { model, input }: Pick<ProviderPrediction, 'model' | 'input'>,
  { provider_origin }: Pick<Deps, 'provider_origin'>,
): void {
  const once = (field: string, level: keyof Log, says: string): void => {
    const key = JSON.stringify([sent.model, field, says]);
    if (told.has(key)) return;
    told.add(key);
    log[level](`the provider ${says}`, { model: sent.model, field });
  };
  if (model !== '' && model !== sent.model) {
    once('model', 'warn', `calls the model ${model}; searches go by the prompt`);
  }
  // An answer without any input tells nothing.
  if (Object.keys(input).length === 0) return;
  const isProviders = providersHosts(provider_origin);
  for (const [field, drift] of driftsOf(marksOf(sent.input), marksOf(input), isProviders)) {
    const { level, says } = MEANS[drift];
    once(field, level, says);
  }
}
