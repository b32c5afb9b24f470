/**
 * Waits for a prediction's end, which the worker's reader reports (adapters/replicate/prediction-reader.ts). No bad answer
 * ends a paid render, not even that the token is refused: the token may work again before the provider forgets the render,
 * and meanwhile the job is told.
 */
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type {
  ProviderPrediction,
  ReadOutcome,
  Replicate,
} from '../adapters/replicate/replicate-client.js';
import type { Attempt } from './attempt.js';
import type { Deps } from './deps.js';
import type { StartedPrediction } from './ensure-prediction.js';
import { firstAnswer, WAITS } from './waits.js';

/** Readings in a row that are refused before the refusal is believed: one wrong answer must not halt a job. */
const BELIEVED = 3;

/** The last reading: terminal, or what was known when the execution was interrupted. */
export async function follow(
  deps: Pick<Deps, 'reader' | 'poll_hints' | 'replicate'>,
  attempt: Attempt,
  started: StartedPrediction,
): Promise<ProviderPrediction | null> {
  const last = await readUntilEnd(deps, attempt, started);
  return last === null ? null : rereadEmptySuccess(deps.replicate, last, attempt.execution.wait);
}

async function readUntilEnd(
  { reader, poll_hints }: Pick<Deps, 'reader' | 'poll_hints'>,
  attempt: Attempt,
  { id, last_read }: StartedPrediction,
): Promise<ProviderPrediction | null> {
  const { execution, input } = attempt;
  let refusals = 0;
  using reading = reader.open({
    id,
    created_at: last_read?.created_at ?? null,
    kind: JSON.stringify([input.model, input.requested_duration]),
    usual: input.usual_time * 1000,
  });
  using _hints = {
    [Symbol.dispose]: poll_hints.on(id, () => {
      reading.hurry();
    }),
  };
  for (let last = last_read; ;) {
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
      const message = messageOf(answer);
      execution.beat({ message });
      if (refusal !== null && refusals === BELIEVED) {
        attempt.refusal = { kind: refusal, message };
        await attempt.tellRefused(attempt.refusal);
      }
    }
    if (last !== null && isTerminal(last.status)) return last;
  }
}

function messageOf(answer: Exclude<ReadOutcome, { type: 'found' }>): string {
  if (answer.type === 'missing') return 'not found yet';
  const { message, refused } = answer;
  return refused === undefined
    ? message
    : `${message}; the paid render continues, and is fetched as soon as the token works again`;
}

/**
 * A success without an output may have been read a moment too early. It is read again before it is taken for a failure,
 * since the next attempt would be paid for. Answers with the prediction as it was where no reading succeeds.
 */
export async function rereadEmptySuccess(
  replicate: Pick<Replicate, 'get'>,
  last: ProviderPrediction,
  wait: (milliseconds: number) => Promise<unknown>,
): Promise<ProviderPrediction> {
  const isEmpty = last.status === 'succeeded' && last.output.type === 'empty';
  if (!isEmpty || last.data_removed) return last;
  await wait(WAITS.empty_success.pause);
  const again = await firstAnswer(WAITS.empty_success, { wait }, async () => {
    const answer = await replicate.get(last.id);
    return answer.type === 'found' ? answer.prediction : null;
  });
  return again ?? last;
}

/** The last progress bar in a model's log lines, e.g. ` 45%|████`. */
function percentIn(logs: string): number | null {
  const found = [...logs.slice(-2_000).matchAll(/(\d{1,3})%\|/g)].at(-1)?.[1];
  return found === undefined ? null : Math.min(100, Number(found));
}
