/**
 * Turns on the event loop for work that takes long: between two turns, everything else that has come in is answered.
 *
 * TURNS-1 one turn per round of the loop, however many requests take turns at the same time.
 */
import { setImmediate } from 'node:timers/promises';

/** Resolves when it is this caller's turn. */
export type NextTurn = () => Promise<void>;

export function createTurns(): NextTurn {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => setImmediate()); // TURNS-1: asked for only when the turn before has begun
    return last;
  };
}
