/**
 * The deadlines of all clips on one timer, set for the earliest. A timer for each would be two events of history a clip, and
 * as much work for the server as a step of the job.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';

interface Deadline {
  /** Milliseconds since 1970. */
  at: number;
  onDue: () => void;
}

export class SharedTimer {
  readonly #deadlines = new Set<Deadline>();
  #timer: { at: number; scope: CancellationScope } | null = null;

  /** Calls `onDue` once at that time; the function that is returned removes the deadline. */
  add(at: number, onDue: () => void): () => void {
    const deadline = { at, onDue };
    this.#deadlines.add(deadline);
    this.#start();
    return () => {
      // The timer itself stays: when it fires, it is set for the next deadline.
      this.#deadlines.delete(deadline);
    };
  }

  #start(): void {
    const at = Math.min(...[...this.#deadlines].map((deadline) => deadline.at));
    if (at === Infinity || (this.#timer !== null && this.#timer.at <= at)) return;
    this.#timer?.scope.cancel();
    // The timer belongs to the job: the cancellation of the clip that happens to set it must not cancel it.
    void CancellationScope.nonCancellable(() => {
      const scope = new CancellationScope();
      this.#timer = { at, scope };
      const milliseconds = Math.max(1, at - Date.now());
      const summary = 'the time of the earliest clip ends';
      return scope
        .run(() => sleep(milliseconds, { summary }))
        .then(
          () => {
            this.#fire();
          },
          () => undefined,
        );
    });
  }

  #fire(): void {
    this.#timer = null;
    for (const deadline of this.#deadlines) {
      if (deadline.at > Date.now()) continue;
      this.#deadlines.delete(deadline);
      deadline.onDue();
    }
    this.#start();
  }
}
