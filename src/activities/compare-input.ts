/**
 * Compares the input that the provider says it has with the one that was sent, after each create that was answered: a lost
 * create is found by its input. A difference is logged once a model and field, before it matters.
 */
import { driftsOf, marksOf, providersHosts } from '../adapters/replicate/input-fingerprint.js';
import type { Drift } from '../adapters/replicate/input-fingerprint.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import type { Deps } from './deps.js';
import type { SentInput } from './input-match.js';

interface Log {
  info(message: string, attributes: object): void;
  warn(message: string, attributes: object): void;
}

/** What each drift means for a search. */
const MEANINGS: Record<Drift, { level: keyof Log; message: string }> = {
  added: { level: 'info', message: 'stores a field that was not sent; searches leave it out' },
  rewritten: { level: 'info', message: 'keeps a file elsewhere; searches do not compare it' },
  changed: {
    level: 'warn',
    message: 'stores another value than was sent: no search would find it',
  },
  missing: {
    level: 'warn',
    message: 'does not store a field that was sent: no search would find it',
  },
};

const logged = new Set<string>();

export function compareInput(
  log: Log,
  sent: SentInput,
  { model, input }: Pick<ProviderPrediction, 'model' | 'input'>,
  { provider_origin }: Pick<Deps, 'provider_origin'>,
): void {
  const logOnce = (field: string, level: keyof Log, message: string): void => {
    const key = JSON.stringify([sent.model, field, message]);
    if (logged.has(key)) return;
    logged.add(key);
    log[level](`the provider ${message}`, { model: sent.model, field });
  };
  if (model !== '' && model !== sent.model) {
    logOnce('model', 'warn', `calls the model ${model}; searches go by the prompt`);
  }
  // An answer without any input tells nothing.
  if (Object.keys(input).length === 0) return;
  const isProviders = providersHosts(provider_origin);
  for (const [field, drift] of driftsOf(marksOf(sent.input), marksOf(input), isProviders)) {
    const { level, message } = MEANINGS[drift];
    logOnce(field, level, message);
  }
}
