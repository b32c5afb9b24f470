/**
 * A gate that a few requests pass at a time; some wait for it, in their order, and the others are refused at once.
 * (p-limit has no bound of its queue and no way for an entry to leave it: decision 54.)
 *
 * GATE-1 never more than `at_once` are inside; each leaves once, however its work ends.
 * GATE-2 a request whose client disconnected while it waited never gets inside.
 */
import type { GateLimits } from './limits.js';
import { unavailable } from '../problems.js';

/** Called once, when the work is done. */
export type Leave = () => void;

interface Waiting {
  admit: (leave: Leave) => void;
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

  /** Rejects with a 503 when too many wait, when the wait takes too long, and when the client has disconnected (`signal`). */
  enter(signal: AbortSignal): Promise<Leave> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#inside < this.#limits.at_once) return Promise.resolve(this.#pass());
    if (this.#waiting.size >= this.#limits.waiting) return Promise.reject(unavailable(FULL));
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
        signal.removeEventListener('abort', disconnected);
      };
      const refuse = (why: Error): void => {
        end();
        reject(why);
      };
      const disconnected = (): void => {
        refuse(signal.reason as Error); // GATE-2
      };
      const timer = setTimeout(() => {
        refuse(unavailable(FULL));
      }, this.#waitMs);
      const waiting: Waiting = {
        admit: (leave) => {
          end();
          resolve(leave);
        },
      };
      signal.addEventListener('abort', disconnected, { once: true });
      this.#waiting.add(waiting);
    });
  }

  #pass(): Leave {
    this.#inside += 1;
    this.#most = Math.max(this.#most, this.#inside);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false; // GATE-1
      this.#inside -= 1;
      const [next] = this.#waiting;
      next?.admit(this.#pass());
    };
  }
}
