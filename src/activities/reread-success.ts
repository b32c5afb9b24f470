/**
 * A success without an output may have been read a moment too early: it is read once more before anybody takes it
 * for nothing, since the next one would be paid for.
 */
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';

/** Milliseconds before each try to read it. */
const MOMENT = 1_000;
const TRIES = 5;

/** The prediction as it is now; as it was where there is nothing to look for, or no answer that can be read. */
export async function readOnceMore(
  replicate: Pick<Replicate, 'get'>,
  last: ProviderPrediction,
  wait: (milliseconds: number) => Promise<unknown>,
): Promise<ProviderPrediction> {
  const isEmpty = last.status === 'succeeded' && last.output.type === 'empty';
  if (!isEmpty || last.data_removed) return last;
  for (let tries = 0; tries < TRIES; tries++) {
    await wait(MOMENT);
    const answer = await replicate.get(last.id);
    if (answer.type === 'found') return answer.prediction;
  }
  return last;
}
