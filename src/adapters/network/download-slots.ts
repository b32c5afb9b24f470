/**
 * Places for downloads, shared fairly by all jobs of this process. A place is what a download holds while it runs;
 * waiting for one costs nothing but memory.
 *
 * P1 Never more than `at_once` are held in all, `share` by one job, and `host.at_once` for one host.
 * P2 Only `further` places in all are second or later ones of their jobs: the others are left to jobs that hold none, so that
 *    a few jobs of slow downloads cannot keep the next job waiting.
 * P3 A free place goes to the job that holds the fewest, among equals to the one that has been in line for longest; within
 *    a job in the order of asking. A job that is served joins the end of the line.
 * P4 A host is asked at most `host.per_second` times a second, and not at all while it has asked to wait.
 */

export interface PlacesOptions {
  at_once: number;
  share: number;
  further: number;
  /** Absent: hosts are not told apart. */
  host?: { at_once: number; per_second: number };
  /** Milliseconds. */
  now?: () => number;
}

export interface Visit {
  job: string;
  /** Host and port. */
  host: string;
}

interface Ticket extends Visit {
  grant: (place: Disposable) => void;
}

interface Host {
  held: number;
  /** Not asked before this. */
  next: number;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #now: () => number;
  readonly #held = new Map<string, number>();
  readonly #hosts = new Map<string, Host>();
  /** By job; the job that has been in line for longest comes first. */
  readonly #waiting = new Map<string, Ticket[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PlacesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Waits for a place, which its disposal gives back. Rejects with the signal's reason. */
  enter(visit: Visit, signal: AbortSignal): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const leave = (): void => {
        this.#remove(ticket);
        reject(reasonOf(signal));
        this.#serve();
      };
      const grant = (place: Disposable): void => {
        signal.removeEventListener('abort', leave);
        resolve(place);
      };
      const ticket: Ticket = { ...visit, grant };
      signal.addEventListener('abort', leave, { once: true });
      const queue = this.#waiting.get(visit.job) ?? [];
      this.#waiting.set(visit.job, [...queue, ticket]);
      this.#serve();
    });
  }

  /** The host has asked to be left alone for so many milliseconds. */
  holdOff(host: string, milliseconds: number): void {
    const state = this.#host(host);
    state.next = Math.max(state.next, this.#now() + milliseconds);
    this.#serve();
  }

  get running(): number {
    return sum(this.#held.values());
  }

  get waiting(): number {
    return sum([...this.#waiting.values()].map((queue) => queue.length));
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name) ?? { held: 0, next: 0 };
    this.#hosts.set(name, host);
    return host;
  }

  #serve(): void {
    for (let ticket = this.#next(); ticket !== null; ticket = this.#next()) this.#grant(ticket);
    clearTimeout(this.#timer);
    const now = this.#now();
    for (const [name, { held, next }] of this.#hosts) {
      if (held === 0 && next <= now) this.#hosts.delete(name);
    }
    const opens = [...this.#waiting.values()]
      .flat()
      .map(({ host }) => this.#hosts.get(host)?.next ?? 0)
      .filter((next) => next > now);
    if (opens.length === 0) return;
    const earliest = opens.reduce((least, next) => Math.min(least, next));
    this.#timer = setTimeout(() => {
      this.#serve();
    }, earliest - now);
  }

  /** P3 */
  #next(): Ticket | null {
    let best: Ticket | null = null;
    let fewest = Infinity;
    for (const [job, queue] of this.#waiting) {
      const held = this.#heldBy(job);
      if (held >= fewest || !this.#mayHoldOneMore(job)) continue;
      const ticket = queue.find((one) => this.#isOpen(one));
      if (ticket === undefined) continue;
      best = ticket;
      fewest = held;
    }
    return best;
  }

  #heldBy(job: string): number {
    return this.#held.get(job) ?? 0;
  }

  /** P1, P2 */
  #mayHoldOneMore(job: string): boolean {
    const { at_once, share, further } = this.#options;
    const held = this.#heldBy(job);
    const all = this.running;
    return all < at_once && (held === 0 || (held < share && all - this.#held.size < further));
  }

  /** P1, P4 */
  #isOpen({ host }: Ticket): boolean {
    const limit = this.#options.host;
    if (limit === undefined) return true;
    const state = this.#hosts.get(host);
    return state === undefined || (state.held < limit.at_once && state.next <= this.#now());
  }

  #grant(ticket: Ticket): void {
    const { job, host } = ticket;
    this.#remove(ticket);
    const others = this.#waiting.get(job);
    if (others !== undefined) {
      this.#waiting.delete(job);
      this.#waiting.set(job, others);
    }
    this.#held.set(job, this.#heldBy(job) + 1);
    const state = this.#host(host);
    state.held += 1;
    const pace = this.#options.host?.per_second;
    if (pace !== undefined) state.next = this.#now() + 1_000 / pace;
    let isHeld = true;
    ticket.grant({
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        state.held -= 1;
        const left = this.#heldBy(job) - 1;
        if (left === 0) this.#held.delete(job);
        else this.#held.set(job, left);
        this.#serve();
      },
    });
  }

  #remove(ticket: Ticket): void {
    const rest = (this.#waiting.get(ticket.job) ?? []).filter((one) => one !== ticket);
    if (rest.length === 0) this.#waiting.delete(ticket.job);
    else this.#waiting.set(ticket.job, rest);
  }
}

const sum = (numbers: Iterable<number>): number => {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
};

const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error('aborted', { cause: reason });
