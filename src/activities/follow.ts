/** Waits for a prediction's end by reading it again and again. No bad answer ends a paid render. */
import { isTerminal } from '../adapters/replicate.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate.js';
import type { Execution } from './execution.js';

/** The last reading: terminal, or whatever was known when the execution was interrupted. */
export async function follow(
  replicate: Replicate,
  execution: Execution,
  id: string,
  usualTime: number,
  known: ProviderPrediction | null,
): Promise<ProviderPrediction | null> {
  const started = Date.now();
  for (let last = known; ;) {
    if (execution.interruption !== null || (last !== null && isTerminal(last.status))) return last;
    const answer = await replicate.get(id, execution.context.cancellationSignal);
    if (answer.type === 'found') {
      last = answer.prediction;
      execution.beat({ status: last.status, percent: percentIn(last.logs), message: null });
    } else if (execution.interruption === null) {
      execution.beat({ message: answer.type === 'missing' ? 'not found yet' : answer.message });
    }
    if (last !== null && isTerminal(last.status)) return last;
    await execution.wait(pollInterval(Date.now() - started, usualTime * 1000));
  }
}

/** Seldom while the end is far, often around the usual time, and slower again when it is overdue. */
export function pollInterval(elapsed: number, usual: number): number {
  if (elapsed < 3_000) return 500;
  return elapsed < usual * 3 ? 1_000 : 2_000;
}

/** The last progress bar in a model's log lines, e.g. ` 45%|████`. */
export function percentIn(logs: string): number | null {
  const found = [...logs.slice(-2_000).matchAll(/(\d{1,3})%\|/g)].at(-1)?.[1];
  return found === undefined ? null : Math.min(100, Number(found));
}
