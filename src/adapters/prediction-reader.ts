/**
 * Reads many running predictions with few requests: one by one while there are few, and out of the provider's
 * list, shared by all, when there are many. Fifty clips read every second would be its whole budget of
 * 3,000 reads a minute; with the list it is sixty reads and two or three for the ends.
 *
 * P1 An end is believed only when the prediction itself says so: the list may lag, or leave things out.
 */
import { isTerminal } from './replicate.js';
import type { ListOutcome, ProviderPrediction, ReadOutcome, Replicate } from './replicate.js';

export interface PredictionReader {
  /** Begins to read a prediction; disposal ends it. */
  open(id: string, createdAt: string): OpenReading;
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
const CLOCK_SKEW = 120_000;

interface Listing {
  at: number;
  answer: Promise<ListOutcome>;
}

export function createPredictionReader(replicate: Replicate): PredictionReader {
  const open = new Map<symbol, string>();
  let listing: Listing | null = null;

  const list = (): Promise<ListOutcome> => {
    if (listing === null || Date.now() - listing.at > FRESH) {
      const oldest = Math.min(...[...open.values()].map((time) => Date.parse(time)));
      listing = { at: Date.now(), answer: replicate.list(new Date(oldest - CLOCK_SKEW)) };
    }
    return listing.answer;
  };

  const listed = async (id: string): Promise<ProviderPrediction | null> => {
    const answer = await list();
    return answer.type === 'listed'
      ? (answer.predictions.find((prediction) => prediction.id === id) ?? null)
      : null;
  };

  return {
    open(id, createdAt) {
      const key = Symbol(id);
      open.set(key, createdAt);
      let lastRead = 0;
      return {
        async read(signal) {
          const alone = (): Promise<ReadOutcome> => {
            lastRead = Date.now();
            return replicate.get(id, signal);
          };
          if (open.size <= FEW) return alone();
          const prediction = await listed(id);
          if (prediction !== null && !isTerminal(prediction.status)) {
            return { type: 'found', prediction };
          }
          const isDue = prediction !== null || Date.now() - lastRead > PATIENCE;
          return isDue ? alone() : { type: 'unreadable', message: 'not in the list yet' };
        },
        [Symbol.dispose]() {
          open.delete(key);
        },
      };
    },
  };
}
