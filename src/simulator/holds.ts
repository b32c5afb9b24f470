/**
 * Requests that wait at a hold point until a control call releases them. One whose client hangs up is removed. There is
 * no time limit.
 */
import type { HoldPoint } from './effects.js';

export interface Held {
  id: number;
  point: HoldPoint;
  model: string;
  caption: string;
  prediction_id: string | null;
  since: string;
}

type Passage = 'released' | 'gone';

export class Holds {
  readonly #held = new Map<number, { held: Held; open: (passage: Passage) => void }>();
  #last = 0;

  /** Waits at a point; `gone` when the client hung up first. */
  wait(about: Omit<Held, 'id'>, gone: AbortSignal): Promise<Passage> {
    if (gone.aborted) return Promise.resolve('gone');
    const id = ++this.#last;
    return new Promise((resolve) => {
      const leave = (): void => {
        open('gone');
      };
      const open = (passage: Passage): void => {
        this.#held.delete(id);
        gone.removeEventListener('abort', leave);
        resolve(passage);
      };
      this.#held.set(id, { held: { id, ...about }, open });
      gone.addEventListener('abort', leave);
    });
  }

  list(): Held[] {
    return [...this.#held.values()].map(({ held }) => held);
  }

  /** Releases those that fit; returns how many. */
  release(fits: (held: Held) => boolean): number {
    const chosen = [...this.#held.values()].filter(({ held }) => fits(held));
    for (const { open } of chosen) open('released');
    return chosen.length;
  }
}
