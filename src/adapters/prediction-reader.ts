/**
 * Reads many running predictions with few requests: one by one while there are few, and out of the provider's list,
 * shared by all, when there are many. Fifty clips read every second would be its whole budget of 3,000 reads a minute.
 *
 * P1 An end is believed only when the prediction itself says so: the list may lag, or leave things out.
 * P2 All times are the provider's own: one of which only the id is known is read alone until it has said when it began.
 * P3 The list is read once for all, page after page and never twice at a time: on a busy account an answer is as old as
 *    that takes, and the requests stay as many.
 */
import { isTerminal } from './replicate.js';
import type { ProviderPrediction, ReadOutcome, Replicate } from './replicate.js';
import type { PredictionIndex } from './prediction-index.js';

export interface PredictionReader {
  /** Begins to read a prediction, created at this time of the provider's if that is known; disposal ends it. */
  open(id: string, createdAt: string | null): OpenReading;
}

export interface OpenReading extends Disposable {
  read(signal: AbortSignal): Promise<ReadOutcome>;
}

/** So many are read one by one. */
const FEW = 8;
/** Milliseconds after which one that is missing in the list is read by itself. */
const PATIENCE = 5_000;
/** The list is asked for a little more than it has to have, in case the provider rounds. */
const MARGIN = 2_000;

const NOT_LISTED: ReadOutcome = { type: 'unreadable', message: 'not in the list yet' };

interface Open {
  id: string;
  created_at: number | null;
  /** As the list had it last, and performance.now() before it was asked for. */
  seen: { prediction: ProviderPrediction; asked: number } | null;
}

export function createPredictionReader(
  replicate: Pick<Replicate, 'get'>,
  index: Pick<PredictionIndex, 'review' | 'watch'>,
): PredictionReader {
  const open = new Set<Open>();
  /** Several executions may read one prediction. */
  const byId = new Map<string, Set<Open>>();
  index.watch((prediction, asked) => {
    for (const one of byId.get(prediction.id) ?? []) one.seen = { prediction, asked };
  });

  const oldest = (): number =>
    Math.min(...[...open].map(({ created_at }) => created_at ?? Infinity)) - MARGIN;

  /** What the list says that was asked for after `moment`; null when it was read to its end, and does not have it. */
  async function listed(
    one: Open,
    moment: number,
    signal: AbortSignal,
  ): Promise<ReadOutcome | null> {
    for (;;) {
      if (one.seen !== null && one.seen.asked > moment) {
        return { type: 'found', prediction: one.seen.prediction };
      }
      if (signal.aborted) return NOT_LISTED;
      const progress = await index.review(oldest());
      if (progress.type === 'unreadable') return progress;
      if (progress.type === 'current') {
        if (one.seen === null || one.seen.asked < progress.asked) return null;
        return { type: 'found', prediction: one.seen.prediction };
      }
    }
  }

  return {
    open(id, createdAt) {
      const one: Open = {
        id,
        created_at: createdAt === null ? null : Date.parse(createdAt),
        seen: null,
      };
      open.add(one);
      byId.set(id, (byId.get(id) ?? new Set()).add(one));
      let lastRead = -Infinity;
      return {
        async read(signal) {
          const alone = async (): Promise<ReadOutcome> => {
            lastRead = performance.now();
            const answer = await replicate.get(id, signal);
            if (answer.type === 'found') one.created_at = Date.parse(answer.prediction.created_at);
            return answer;
          };
          if (open.size <= FEW || one.created_at === null) return alone(); // P2
          const answer = await listed(one, lastRead, signal);
          if (answer?.type === 'found') {
            if (isTerminal(answer.prediction.status)) return alone(); // P1
            lastRead = Math.max(lastRead, one.seen?.asked ?? lastRead);
            return answer;
          }
          // The provider has asked for patience, with reads of any kind.
          const isWanted = answer?.type === 'unreadable' && answer.retry_after !== undefined;
          const isDue = performance.now() - lastRead > PATIENCE;
          return !isWanted && isDue ? alone() : (answer ?? NOT_LISTED);
        },
        [Symbol.dispose]() {
          open.delete(one);
          const same = byId.get(id);
          same?.delete(one);
          if (same?.size === 0) byId.delete(id);
        },
      };
    },
  };
}
