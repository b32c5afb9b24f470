/** Work that a cancellation or a deadline can end, and which of the two did. One piece of work at a time. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { SharedTimer } from './shared-timer.js';

export type EndReason = 'canceled' | 'timed_out';

/** Thrown in place of the error with which the ended work rejected. */
export class WorkEnded extends Error {
  override readonly name = 'WorkEnded';
  readonly reason: EndReason;
  constructor(reason: EndReason, cause: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

export class CancellableWork {
  readonly #timer: SharedTimer;
  /** Of the work under way. */
  #scope: CancellationScope | null = null;
  /** Does the deadline apply to it? */
  #isTimed = false;
  #removeDeadline: (() => void) | null = null;
  #deadline: number | null = null;
  #endReason: EndReason | null = null;

  constructor(timer: SharedTimer) {
    this.#timer = timer;
  }

  get endReason(): EndReason | null {
    return this.#endReason;
  }

  /** Milliseconds since 1970. May be set while timed work is under way. */
  set deadline(at: number) {
    this.#deadline = at;
    this.#applyDeadline();
  }

  cancel(): void {
    this.#endReason = 'canceled';
    this.#scope?.cancel();
  }

  /** `timed`: does the deadline apply to this work? */
  async run<T>(work: () => Promise<T>, { timed }: { timed: boolean }): Promise<T> {
    // A deadline ends one piece of work; a cancellation ends all that follow, too.
    if (this.#endReason === 'timed_out') this.#endReason = null;
    const scope = new CancellationScope();
    this.#scope = scope;
    this.#isTimed = timed;
    this.#applyDeadline();
    if (this.#endReason === 'canceled') scope.cancel();
    try {
      return await scope.run(work);
    } catch (error) {
      // An activity whose worker died before it heard of its cancellation ends with a time-out instead.
      const isCutOff = scope.consideredCancelled && error instanceof Error;
      if (!isCancellation(error) && !isCutOff) throw error;
      // Without a reason of its own, it was canceled together with the workflow.
      throw new WorkEnded((this.#endReason ??= 'canceled'), error);
    } finally {
      this.#scope = null;
      this.#removeDeadline?.();
      this.#removeDeadline = null;
    }
  }

  #applyDeadline(): void {
    const scope = this.#scope;
    if (scope === null || !this.#isTimed) return;
    if (this.#deadline === null || this.#removeDeadline !== null) return;
    this.#removeDeadline = this.#timer.add(this.#deadline, () => {
      this.#endReason ??= 'timed_out';
      scope.cancel();
    });
  }
}
