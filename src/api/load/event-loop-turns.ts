/**
 * Turns on the event loop for work that takes long: between two of them everything else that has come in is answered.
 *
 * T1 one turn a round of the loop, however many requests take turns at the same time.
 */
import { setImmediate } from 'node:timers/promises';

/** Resolves when it is this caller's turn. */
export type TakeTurn = () => Promise<void>;

export function createTurns(): TakeTurn {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => setImmediate()); // T1: asked for only when the turn before has begun
    return last;
  };
}
