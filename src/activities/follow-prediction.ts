/**
 * Waits for a prediction's end, as the worker's reader tells of it (adapters/replicate/prediction-reader.ts). No bad answer ends a
 * paid render, not even that the token is refused: it may work again before the provider forgets the render, and meanwhile
 * the job is told.
 */
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { ProviderPrediction, ReadOutcome } from '../adapters/replicate/replicate-client.js';
import type { Attempt } from './attempt.js';
import type { Deps } from './deps.js';
import type { Started } from './ensure-prediction.js';

/** Readings in a row that are refused before it is believed: what halts a job is no slip of one answer. */
const BELIEVED = 3;

/** The last reading: terminal, or whatever was known when the execution was interrupted. */
export async function follow(
  { reader, wakes }: Pick<Deps, 'reader' | 'wakes'>,
  attempt: Attempt,
  { id, known }: Started,
): Promise<ProviderPrediction | null> {
  const { execution, input } = attempt;
  let refusals = 0;
  using reading = reader.open({
    id,
    created_at: known?.created_at ?? null,
    kind: JSON.stringify([input.model, input.requested_duration]),
    usual: input.usual_time * 1000,
  });
  using _unhook = {
    [Symbol.dispose]: wakes.on(id, () => {
      reading.hurry();
    }),
  };
  for (let last = known; ;) {
    if (execution.interruption !== null || (last !== null && isTerminal(last.status))) return last;
    const answer = await reading.next(execution.signal);
    if (answer === null) continue;
    const refusal = answer.type === 'unreadable' ? (answer.refused ?? null) : null;
    refusals = refusal === null ? 0 : refusals + 1;
    if (refusal === null) attempt.refusal = null;
    if (answer.type === 'found') {
      last = answer.prediction;
      execution.beat({ status: last.status, percent: percentIn(last.logs), message: null });
    } else if (execution.interruption === null) {
      const message = inWords(answer);
      execution.beat({ message });
      if (refusal !== null && refusals === BELIEVED) {
        attempt.refusal = { kind: refusal, message };
        await attempt.tellRefused(attempt.refusal);
      }
    }
    if (last !== null && isTerminal(last.status)) return last;
  }
}

function inWords(answer: Exclude<ReadOutcome, { type: 'found' }>): string {
  if (answer.type === 'missing') return 'not found yet';
  const { message, refused } = answer;
  return refused === undefined
    ? message
    : `${message}; what was paid renders on, and is fetched as soon as the token works again`;
}

/** The last progress bar in a model's log lines, e.g. ` 45%|████`. */
export function percentIn(logs: string): number | null {
  const found = [...logs.slice(-2_000).matchAll(/(\d{1,3})%\|/g)].at(-1)?.[1];
  return found === undefined ? null : Math.min(100, Number(found));
}
