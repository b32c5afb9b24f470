/** The pages of the account's list, newest first. Waits out failures: a command has time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ListReading } from '../adapters/replicate/list-reading.js';
import type {
  ProviderPrediction,
  Replicate,
  Span,
} from '../adapters/replicate/replicate-client.js';
import { UserError } from './process.js';

interface Page {
  predictions: ProviderPrediction[];
  /** True on the last page when the whole list could be read. */
  isWhole: boolean;
  /** When the oldest prediction of the page was created. */
  back_to: string | null;
}

/** Milliseconds between two attempts to read a page. */
const RETRY_INTERVAL = 2_000;
const MAX_FAILURES = 30;

/** `say` gets the reason of a wait. By hand: p-retry has no delay that an answer asks for (decision 56). */
export async function* pagesOf(
  replicate: Pick<Replicate, 'page'>,
  span: Span,
  say: (text: string) => void,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): AsyncGenerator<Page> {
  const reading = new ListReading(replicate, span);
  for (let failures = 0; !reading.isOver;) {
    const step = await reading.step();
    if (step.type === 'read') {
      failures = 0;
      const { predictions } = step;
      const back_to = predictions.at(-1)?.created_at ?? null;
      yield { predictions, isWhole: reading.isWhole, back_to };
      continue;
    }
    // A wait that the provider asks for does not count as a failure.
    if (step.retry_after === undefined && ++failures >= MAX_FAILURES) {
      throw new UserError(
        `expected the list of predictions, got ${step.message}; try again later.`,
      );
    }
    const seconds = Math.max(RETRY_INTERVAL / 1000, step.retry_after ?? 0);
    say(`${step.message}; asking again in ${String(Math.ceil(seconds))} s`);
    await pause(seconds * 1000);
  }
}
