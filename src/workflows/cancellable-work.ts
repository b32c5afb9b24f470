/** Work that a cancellation or a clock can end, and which of the two did. One piece of work at a time. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Clock } from './shared-timer.js';

export type Ending = 'canceled' | 'timed_out';

/** Thrown in place of whatever the ended work threw. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly ending: Ending;
  constructor(ending: Ending, cause: unknown) {
    super(ending, { cause });
    this.ending = ending;
  }
}

export class Endable {
  readonly #clock: Clock;
  #scope: CancellationScope | null = null;
  /** Takes back what the clock was told for the work that is done now. */
  #unset: (() => void) | null = null;
  #isTimed = false;
  #due: number | null = null;
  #ending: Ending | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  /** Milliseconds since 1970 at which the clock ends work for which time matters; it may be told while the work is done. */
  set due(at: number) {
    this.#due = at;
    this.#startClock();
  }

  cancel(): void {
    this.#ending = 'canceled';
    this.#scope?.cancel();
  }

  /** `timed`: does time matter? */
  async run<T>(work: () => Promise<T>, { timed }: { timed: boolean }): Promise<T> {
    // What an earlier clock ended has had its answer; a cancellation is for good.
    if (this.#ending === 'timed_out') this.#ending = null;
    const scope = new CancellationScope();
    this.#scope = scope;
    this.#isTimed = timed;
    this.#startClock();
    if (this.#ending === 'canceled') scope.cancel();
    try {
      return await scope.run(work);
    } catch (error) {
      // An activity whose worker died before it heard of its cancellation ends with a time-out instead.
      const isCutOff = scope.consideredCancelled && error instanceof Error;
      if (!isCancellation(error) && !isCutOff) throw error;
      // Neither this cancellation nor this clock: everything around it was canceled.
      throw new Ended((this.#ending ??= 'canceled'), error);
    } finally {
      this.#scope = null;
      this.#unset?.();
      this.#unset = null;
    }
  }

  #startClock(): void {
    const scope = this.#scope;
    if (scope === null || !this.#isTimed || this.#due === null || this.#unset !== null) return;
    this.#unset = this.#clock.set(this.#due, () => {
      this.#ending ??= 'timed_out';
      scope.cancel();
    });
  }
}
