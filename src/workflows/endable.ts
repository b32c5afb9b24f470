/** Work that a cancellation or a clock can end, and which of the two did. One piece of work at a time. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

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
  #scope: CancellationScope | null = null;
  #ending: Ending | null = null;

  get ending(): Ending | null {
    return this.#ending;
  }

  cancel(): void {
    this.#ending = 'canceled';
    this.#scope?.cancel();
  }

  /** `left`: milliseconds after which the clock ends the work; null where time does not matter. */
  async run<T>(work: () => Promise<T>, left: number | null): Promise<T> {
    // What an earlier clock ended has had its answer; a cancellation is for good.
    if (this.#ending === 'timed_out') this.#ending = null;
    const scope = new CancellationScope();
    const clock = new CancellationScope();
    this.#scope = scope;
    if (left !== null) this.#startClock(clock, scope, left);
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
      clock.cancel();
    }
  }

  #startClock(clock: CancellationScope, scope: CancellationScope, left: number): void {
    clock
      .run(() => sleep(Math.max(1, left)))
      .then(
        () => {
          this.#ending ??= 'timed_out';
          scope.cancel();
        },
        () => undefined,
      );
  }
}
