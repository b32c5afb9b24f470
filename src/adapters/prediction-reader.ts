/**
 * Reads many running predictions with few requests: one by one while there are few, and out of the provider's
 * list, shared by all, when there are many. Fifty clips read every second would be its whole budget of
 * 3,000 reads a minute; with the list it is sixty reads and two or three for the ends.
 *
 * P1 An end is believed only when the prediction itself says so: the list may lag, or leave things out.
 * P2 All times are the provider's own: one of which only the id is known is read alone until it has said when it began.
 */
import { isTerminal } from './replicate.js';
import type { ListOutcome, ReadOutcome, Replicate } from './replicate.js';

export interface PredictionReader {
  /** Begins to read a prediction, created at this time of the provider's if that is known; disposal ends it. */
  open(id: string, createdAt: string | null): OpenReading;
}

export interface OpenReading extends Disposable {
  read(signal: AbortSignal): Promise<ReadOutcome>;
}

/** So many are read one by one. */
const FEW = 8;
/** Milliseconds for which a list is fresh. */
const FRESH = 900;
/** Milliseconds after which one that is missing in the list is read by itself. */
const PATIENCE = 5_000;
/** The list is asked for a little more than it has to have, in case the provider rounds. */
const MARGIN = 2_000;

const NOT_LISTED: ReadOutcome = { type: 'unreadable', message: 'not in the list yet' };

interface Listing {
  at: number;
  answer: Promise<ListOutcome>;
}

export function createPredictionReader(replicate: Replicate): PredictionReader {
  const open = new Map<symbol, string | null>();
  let listing: Listing | null = null;

  const list = (): Promise<ListOutcome> => {
    if (listing === null || Date.now() - listing.at > FRESH) {
      const oldest = Math.min(
        ...[...open.values()].flatMap((time) => (time === null ? [] : Date.parse(time))),
      );
      listing = { at: Date.now(), answer: replicate.list(new Date(oldest - MARGIN)) };
    }
    return listing.answer;
  };

  const listed = async (id: string): Promise<ReadOutcome> => {
    const answer = await list();
    if (answer.type !== 'listed') return answer;
    const prediction = answer.predictions.find((item) => item.id === id);
    return prediction === undefined ? NOT_LISTED : { type: 'found', prediction };
  };

  return {
    open(id, createdAt) {
      const key = Symbol(id);
      open.set(key, createdAt);
      let lastRead = 0;
      return {
        async read(signal) {
          const alone = async (): Promise<ReadOutcome> => {
            lastRead = Date.now();
            const answer = await replicate.get(id, signal);
            if (answer.type === 'found') open.set(key, answer.prediction.created_at);
            return answer;
          };
          if (open.size <= FEW || open.get(key) === null) return alone(); // P2
          const answer = await listed(id);
          if (answer.type === 'found')
            return isTerminal(answer.prediction.status) ? alone() : answer;
          // The provider has asked for patience, with reads of any kind.
          const isWanted = 'retry_after' in answer && answer.retry_after !== undefined;
          return !isWanted && Date.now() - lastRead > PATIENCE ? alone() : answer;
        },
        [Symbol.dispose]() {
          open.delete(key);
        },
      };
    },
  };
}
