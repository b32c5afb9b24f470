/**
 * Download slots, shared fairly by all jobs of this process. A download holds a slot while it runs; waiting for one costs
 * nothing but memory. Written by hand: a library such as p-limit has one queue, and no shares of jobs and hosts (decision 56).
 *
 * SLOTS-1 At most `total` slots are held, `per_job` by one job, and `per_host.slots` for one host.
 * SLOTS-2 At most `beyond_first` of the held slots are second or later slots of their jobs. The others are left to jobs that
 *    hold none, so that a few jobs with slow downloads cannot keep the next job waiting.
 * SLOTS-3 A free slot goes to the job that holds the fewest, among equals to the one that was served longest ago; within a job
 *    in the order of the requests.
 * SLOTS-4 A host gets at most `per_host.per_second` downloads a second, and none while it is paused.
 */

import { abortReason } from '../../http/or-aborted.js';

interface SlotLimits {
  total: number;
  per_job: number;
  beyond_first: number;
  /** Absent: hosts are not told apart. */
  per_host?: { slots: number; per_second: number };
}

export interface DownloadSlotsOptions extends SlotLimits {
  /** Milliseconds. */
  now?: () => number;
}

export interface Download {
  job: string;
  /** Host and port. */
  host: string;
}

interface SlotRequest extends Download {
  grant: (slot: Disposable) => void;
}

interface Host {
  held: number;
  /** Its next download starts no earlier. */
  next: number;
}

export class DownloadSlots {
  readonly #limits: SlotLimits;
  readonly #now: () => number;
  readonly #held = new Map<string, number>();
  readonly #hosts = new Map<string, Host>();
  /** By job; the job that was served longest ago comes first. */
  readonly #waiting = new Map<string, SlotRequest[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ now = Date.now, ...limits }: DownloadSlotsOptions) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Waits for a slot, which is released by its disposal. Rejects with the signal's reason. */
  acquire(download: Download, signal: AbortSignal): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const abort = (): void => {
        this.#remove(request);
        reject(abortReason(signal));
        this.#serve();
      };
      const grant = (slot: Disposable): void => {
        signal.removeEventListener('abort', abort);
        resolve(slot);
      };
      const request: SlotRequest = { ...download, grant };
      signal.addEventListener('abort', abort, { once: true });
      const queue = this.#waiting.get(download.job) ?? [];
      this.#waiting.set(download.job, [...queue, request]);
      this.#serve();
    });
  }

  /** No download from the host starts for so many milliseconds. */
  pause(host: string, milliseconds: number): void {
    const state = this.#host(host);
    state.next = Math.max(state.next, this.#now() + milliseconds);
    this.#serve();
  }

  get held(): number {
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
    for (let request = this.#next(); request !== null; request = this.#next()) this.#grant(request);
    clearTimeout(this.#timer);
    const now = this.#now();
    for (const [name, { held, next }] of this.#hosts) {
      if (held === 0 && next <= now) this.#hosts.delete(name);
    }
    const openings = [...this.#waiting.values()]
      .flat()
      .map(({ host }) => this.#hosts.get(host)?.next ?? 0)
      .filter((next) => next > now);
    if (openings.length === 0) return;
    const earliest = openings.reduce((least, next) => Math.min(least, next));
    this.#timer = setTimeout(() => {
      this.#serve();
    }, earliest - now);
  }

  /** SLOTS-3 */
  #next(): SlotRequest | null {
    let best: SlotRequest | null = null;
    let fewest = Infinity;
    for (const [job, queue] of this.#waiting) {
      const held = this.#heldBy(job);
      if (held >= fewest || !this.#mayHoldOneMore(job)) continue;
      const request = queue.find(({ host }) => this.#isOpen(host));
      if (request === undefined) continue;
      best = request;
      fewest = held;
    }
    return best;
  }

  #heldBy(job: string): number {
    return this.#held.get(job) ?? 0;
  }

  /** SLOTS-1, SLOTS-2 */
  #mayHoldOneMore(job: string): boolean {
    const { total, per_job, beyond_first } = this.#limits;
    const heldByJob = this.#heldBy(job);
    if (this.held >= total) return false;
    if (heldByJob === 0) return true;
    return heldByJob < per_job && this.held - this.#held.size < beyond_first;
  }

  /** SLOTS-1, SLOTS-4 */
  #isOpen(host: string): boolean {
    const limit = this.#limits.per_host;
    const state = this.#hosts.get(host);
    if (limit === undefined || state === undefined) return true;
    return state.held < limit.slots && state.next <= this.#now();
  }

  #grant(request: SlotRequest): void {
    const { job, host } = request;
    this.#remove(request);
    const others = this.#waiting.get(job);
    if (others !== undefined) {
      this.#waiting.delete(job);
      this.#waiting.set(job, others);
    }
    this.#held.set(job, this.#heldBy(job) + 1);
    const state = this.#host(host);
    state.held += 1;
    const pace = this.#limits.per_host?.per_second;
    if (pace !== undefined) state.next = this.#now() + 1_000 / pace;
    let isHeld = true;
    request.grant({
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        state.held -= 1;
        const rest = this.#heldBy(job) - 1;
        if (rest === 0) this.#held.delete(job);
        else this.#held.set(job, rest);
        this.#serve();
      },
    });
  }

  #remove(request: SlotRequest): void {
    const rest = (this.#waiting.get(request.job) ?? []).filter((other) => other !== request);
    if (rest.length === 0) this.#waiting.delete(request.job);
    else this.#waiting.set(request.job, rest);
  }
}

const sum = (numbers: Iterable<number>): number => {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
};
