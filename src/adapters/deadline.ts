/**
 * A signal that fires after so many milliseconds, or with another one. AbortSignal.timeout inside AbortSignal.any
 * does not do: Node 20 may collect it as garbage, and then it never fires (nodejs/node#57736). Here the timer
 * holds what it will abort.
 */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

export function deadline(milliseconds: number, outer?: AbortSignal): Deadline {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(new DOMException('no answer in time', 'TimeoutError'));
  }, milliseconds);
  return {
    signal: outer === undefined ? late.signal : AbortSignal.any([outer, late.signal]),
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
