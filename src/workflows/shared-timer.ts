/**
 * The times of all clips, by one timer: the earliest. One for each would be two events of history a clip, and as much work for
 * the server as a step of the job.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';

interface Alarm {
  /** Milliseconds since 1970. */
  at: number;
  ring: () => void;
}

export class Clock {
  readonly #alarms = new Set<Alarm>();
  #timer: { at: number; scope: CancellationScope } | null = null;

  /** Calls once at that time, unless what this answers is called first. */
  set(at: number, ring: () => void): () => void {
    const alarm = { at, ring };
    this.#alarms.add(alarm);
    this.#start();
    return () => {
      // The timer stays: at the end of one clip's time there is nothing to do but to wait for the next.
      this.#alarms.delete(alarm);
    };
  }

  #start(): void {
    const at = Math.min(...[...this.#alarms].map((alarm) => alarm.at));
    if (at === Infinity || (this.#timer !== null && this.#timer.at <= at)) return;
    this.#timer?.scope.cancel();
    // Of the job, not of the clip that happens to be the first.
    void CancellationScope.nonCancellable(() => {
      const scope = new CancellationScope();
      this.#timer = { at, scope };
      const milliseconds = Math.max(1, at - Date.now());
      const summary = 'the time of the earliest clip ends';
      return scope
        .run(() => sleep(milliseconds, { summary }))
        .then(
          () => {
            this.#ring();
          },
          () => undefined,
        );
    });
  }

  #ring(): void {
    this.#timer = null;
    for (const alarm of this.#alarms) {
      if (alarm.at > Date.now()) continue;
      this.#alarms.delete(alarm);
      alarm.ring();
    }
    this.#start();
  }
}
