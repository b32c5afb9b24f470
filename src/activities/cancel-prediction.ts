/** Ends a prediction at the provider and confirms that it is over, within a few seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';
import { pauseAfter, WAITS } from './waits.js';

/** The prediction as last read; not terminal when the provider does not confirm in time. */
export async function cancelAndConfirm(
  replicate: Replicate,
  id: string,
  known: ProviderPrediction | null,
): Promise<ProviderPrediction | null> {
  const { within, pause } = WAITS.cancel;
  const until = Date.now() + within;
  let last = known;
  let isAsked = false;
  for (;;) {
    if (last !== null && isTerminal(last.status)) return last;
    const answer = await (isAsked ? replicate.get(id) : replicate.cancel(id));
    if (answer.type === 'found') {
      isAsked = true;
      last = answer.prediction;
      if (isTerminal(last.status)) return last;
    }
    const left = until - Date.now();
    if (left <= 0) return last;
    const wanted = answer.type === 'unreadable' ? pauseAfter(answer, pause) : pause;
    await sleep(Math.min(wanted, Math.max(pause, left)));
  }
}
