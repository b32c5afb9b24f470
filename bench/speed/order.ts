/** A job as a program under test gets it, when its client heard of what, and the figures that follow. Pure. */
import { quantile } from '../support/figures.js';
import type { LedgerLine } from './provider.js';
import { BEST, readsOfPolling } from './renders.js';
import type { Dispatch } from './renders.js';

export interface Order {
  /** A word; not the beginning of another's. */
  id: string;
  /** Seconds that each clip renders. */
  renders: readonly number[];
  dispatch: Dispatch;
  at_once: number;
}

/** Moments of the client's clock, in milliseconds since 1970; those of clips by their place in the order. */
export interface Heard {
  posted: number;
  /** That the render has ended. */
  done: Map<number, number>;
  /** That the file is stored. */
  stored: Map<number, number>;
  /** That the job is over. */
  ended: number;
}

export const promptsOf = ({ id, renders }: Order): string[] =>
  renders.map((seconds, index) => `[[slow:${String(seconds)}]] ${id} clip ${String(index)}`);

interface Figures {
  /** The time of the job by the least that it could take. */
  makespan: number;
  /** Milliseconds from the end of a render to the client that hears of it. */
  reported: number[];
  /** Milliseconds from then until the client hears that the file is stored. */
  stored: number[];
  /** Milliseconds from the post to the first create. */
  first_create: number;
  creates: number;
}

/** Whole orders only: a clip of which its client never heard fails the benchmark. */
export function figuresOf(order: Order, heard: Heard, ledger: readonly LedgerLine[]): Figures {
  const own = linesOf(order, ledger);
  const clips = promptsOf(order).map((prompt, index) => {
    // The newest is the one that counted.
    const line = own.find((one) => one.prompt === prompt);
    const [done, stored] = [heard.done.get(index), heard.stored.get(index)];
    if (line?.completed_at == null || done === undefined || stored === undefined) {
      throw new Error(
        `expected clip ${String(index)} of ${order.id} to be rendered, reported and stored`,
      );
    }
    return { reported: done - Date.parse(line.completed_at), stored: stored - done };
  });
  return {
    makespan:
      (heard.ended - heard.posted) / 1000 / BEST[order.dispatch](order.renders, order.at_once),
    reported: clips.map(({ reported }) => reported),
    stored: clips.map(({ stored }) => stored),
    first_create: Math.min(...own.map(({ created_at }) => Date.parse(created_at))) - heard.posted,
    creates: own.length,
  };
}

const linesOf = ({ id }: Order, ledger: readonly LedgerLine[]): LedgerLine[] =>
  ledger.filter(({ prompt }) => prompt.includes(` ${id} clip `));

/** Reads a clip, by those of a client that polls each prediction twice a second. */
export const readsShare = (reads: number, { renders }: Order): number =>
  reads / readsOfPolling(renders, 0.5);

export const median = (values: readonly number[]): number => quantile(values, 0.5);
