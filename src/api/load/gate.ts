/**
 * A gate that a few requests pass at a time; some wait before it, in their order, and the rest is refused at once.
 *
 * G1 never more than `at_once` are inside; whoever is inside leaves once, however its work ends.
 * G2 a request whose asker has left while it waited never gets inside.
 */
import type { GateLimits } from './limits.js';
import { unavailable } from '../problems.js';

/** Called once, when the work is done. */
export type Leave = () => void;

interface Waiting {
  let: (leave: Leave) => void;
}

const FULL = 'this process has as much to do as it takes on; ask again soon';

export class Gate {
  readonly #limits: GateLimits;
  readonly #waitMs: number;
  readonly #waiting = new Set<Waiting>();
  #inside = 0;
  #most = 0;

  constructor(limits: GateLimits, waitMs: number) {
    this.#limits = limits;
    this.#waitMs = waitMs;
  }

  /** Requests worked on and waiting, now; and the most that were worked on at once. */
  get figures() {
    return { inside: this.#inside, waiting: this.#waiting.size, most: this.#most };
  }

  /** Rejects with a 503 when too many wait, when the wait takes too long, and when the asker has left (`signal`). */
  enter(signal: AbortSignal): Promise<Leave> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#inside < this.#limits.at_once) return Promise.resolve(this.#pass());
    if (this.#waiting.size >= this.#limits.waiting) return Promise.reject(unavailable(FULL));
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
      };
      const refuse = (why: Error): void => {
        end();
        reject(why);
      };
      const gone = (): void => {
        refuse(signal.reason as Error); // G2
      };
      const timer = setTimeout(() => {
        refuse(unavailable(FULL));
      }, this.#waitMs);
      const waiting: Waiting = {
        let: (leave) => {
          end();
          resolve(leave);
        },
      };
      signal.addEventListener('abort', gone, { once: true });
      this.#waiting.add(waiting);
    });
  }

  #pass(): Leave {
    this.#inside += 1;
    this.#most = Math.max(this.#most, this.#inside);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false; // G1
      this.#inside -= 1;
      const [next] = this.#waiting;
      next?.let(this.#pass());
    };
  }
}
