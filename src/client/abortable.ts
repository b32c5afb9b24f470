/** Waiting that can be ended. `AbortSignal.any` would keep a time-out that is collected (nodejs/node#57736). */

/** Resolves after the time, or as soon as the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}

export interface Linked {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** No longer listens to the other signal. */
  release(): void;
}

/** A signal that is aborted by its owner, or together with another one. */
export function linkedTo(other: AbortSignal | undefined): Linked {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(other?.reason);
  };
  if (other?.aborted === true) abort();
  other?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => {
      controller.abort(reason);
    },
    release: () => {
      other?.removeEventListener('abort', abort);
    },
  };
}
