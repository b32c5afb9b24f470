/** Ends a prediction at the provider and makes sure of it, within a few seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';

const BUDGET = 8_000;
const EVERY = 250;

/** The prediction as last read; not terminal when the provider would not confirm in time. */
export async function cancelAndConfirm(
  replicate: Replicate,
  id: string,
  known: ProviderPrediction | null,
): Promise<ProviderPrediction | null> {
  const until = Date.now() + BUDGET;
  let last = known;
  let asked = false;
  for (;;) {
    if (last !== null && isTerminal(last.status)) return last;
    const answer = await (asked ? replicate.get(id) : replicate.cancel(id));
    if (answer.type === 'found') {
      asked = true;
      last = answer.prediction;
      if (isTerminal(last.status)) return last;
    }
    if (Date.now() >= until) return last;
    const wanted = answer.type === 'unreadable' ? (answer.retry_after ?? 0) * 1000 : 0;
    await sleep(Math.max(EVERY, Math.min(wanted, until - Date.now())));
  }
}
