/** The account's list from its newest to its oldest, with patience: a command has time, and the next page is worth it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ListReading } from '../adapters/replicate/list-reading.js';
import type {
  ProviderPrediction,
  Replicate,
  Span,
} from '../adapters/replicate/replicate-client.js';
import { UserError } from './process.js';

export interface Page {
  predictions: ProviderPrediction[];
  /** Of the last page: everything could be read. */
  isWhole: boolean;
  /** When the oldest of them was created. */
  back_to: string | null;
}

/** Milliseconds between two tries of a page, and tries in a row after which nobody can tell. */
const AGAIN = 2_000;
const TRIES = 30;

/** `say` hears why it takes longer. */
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
    // What the provider asks for is not counted: it says itself when it is ready.
    if (step.retry_after === undefined && ++failures >= TRIES) {
      throw new UserError(
        `expected the list of predictions, got ${step.message}; try again later.`,
      );
    }
    const seconds = Math.max(AGAIN / 1000, step.retry_after ?? 0);
    say(`${step.message}; asking again in ${String(Math.ceil(seconds))} s`);
    await pause(seconds * 1000);
  }
}
