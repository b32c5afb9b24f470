/**
 * Waits for a prediction's end by reading it again and again. No bad answer ends a paid render, not even that the token
 * is refused: it may work again before the provider forgets the render, and meanwhile the job is told.
 */
import { isTerminal } from '../adapters/replicate.js';
import type { ProviderPrediction, ReadOutcome } from '../adapters/replicate.js';
import type { Attempt } from './attempt.js';
import type { Deps } from './deps.js';
import type { Started } from './ensure-prediction.js';

/** Readings in a row that are refused before it is believed: what halts a job is no slip of one answer. */
const BELIEVED = 3;

/** The last reading: terminal, or whatever was known when the execution was interrupted. */
export async function follow(
  { reader, wakes, poll_interval = pollInterval }: Pick<Deps, 'reader' | 'wakes' | 'poll_interval'>,
  attempt: Attempt,
  { id, known }: Started,
): Promise<ProviderPrediction | null> {
  const { execution, input } = attempt;
  const started = performance.now();
  const bell = new Bell();
  let refusals = 0;
  using reading = reader.open(id, known?.created_at ?? null);
  using _unhook = {
    [Symbol.dispose]: wakes.on(id, () => {
      bell.ring();
    }),
  };
  for (let last = known; ;) {
    if (execution.interruption !== null || (last !== null && isTerminal(last.status))) return last;
    const answer = await reading.read(execution.signal);
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
    const asked = answer.type === 'unreadable' ? (answer.retry_after ?? 0) * 1000 : 0;
    const elapsed = performance.now() - started;
    const pause = Math.max(asked, poll_interval(elapsed, input.usual_time * 1000));
    await execution.wait(pause, bell);
  }
}

function inWords(answer: Exclude<ReadOutcome, { type: 'found' }>): string {
  if (answer.type === 'missing') return 'not found yet';
  const { message, refused } = answer;
  return refused === undefined
    ? message
    : `${message}; what was paid renders on, and is fetched as soon as the token works again`;
}

/** Lets a wait end early. */
export class Bell {
  #answer: (() => void) | null = null;
  #isRung = false;

  ring(): void {
    this.#isRung = true;
    this.#answer?.();
  }

  /** Calls back at the next ring, or at once when it has rung since the last wait. */
  listen(callback: () => void): void {
    this.#answer = callback;
    if (this.#isRung) callback();
    this.#isRung = false;
  }
}

/** Milliseconds: often at first and around the usual time, more seldom long before it and long after it. */
export function pollInterval(elapsed: number, usual: number): number {
  if (elapsed < 5_000) return 500;
  if (elapsed < usual * 0.5) return Math.min(3_000, Math.max(1_000, elapsed * 0.1));
  return elapsed < usual * 3 ? 1_000 : 3_000;
}

/** The last progress bar in a model's log lines, e.g. ` 45%|████`. */
export function percentIn(logs: string): number | null {
  const found = [...logs.slice(-2_000).matchAll(/(\d{1,3})%\|/g)].at(-1)?.[1];
  return found === undefined ? null : Math.min(100, Number(found));
}
