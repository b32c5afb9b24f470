/**
 * A signal that fires after so many milliseconds, or with another signal. AbortSignal.timeout inside AbortSignal.any
 * is not enough: Node 20 may collect it as garbage, and then it never fires (nodejs/node#57736). Here the timer
 * holds what it will abort.
 */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** The time of this work does not count. */
  notCounting<T>(work: () => Promise<T>): Promise<T>;
}

export function deadline(milliseconds: number, outer?: AbortSignal): Deadline {
  const late = new AbortController();
  let left = milliseconds;
  let since = performance.now();
  const start = (): NodeJS.Timeout =>
    setTimeout(() => {
      late.abort(new DOMException('no answer in time', 'TimeoutError'));
    }, left);
  let timer = start();
  return {
    signal: outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]),
    async notCounting(work) {
      clearTimeout(timer);
      left -= performance.now() - since;
      try {
        return await work();
      } finally {
        since = performance.now();
        timer = start();
      }
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
