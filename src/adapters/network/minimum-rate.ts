/** A minimum rate for downloads: in each window of time so many bytes have to arrive. */

export interface MinimumRate {
  /** Bytes a second, on average over one window. */
  bytes: number;
  /** Seconds. */
  window: number;
}

interface RateMeter extends Disposable {
  count(bytes: number): void;
}

/** Starts at once. `slow` is called at most once, with the rate that was expected and the bytes that arrived. */
export function meterRate(rate: MinimumRate, slow: (message: string) => void): RateMeter {
  let arrived = 0;
  const timer = setInterval(() => {
    if (arrived < rate.bytes * rate.window) {
      clearInterval(timer);
      slow(
        `expected at least ${String(rate.bytes)} bytes a second, got ${String(arrived)} in ${String(rate.window)} s`,
      );
    }
    arrived = 0;
  }, rate.window * 1_000);
  return {
    count(bytes) {
      arrived += bytes;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
