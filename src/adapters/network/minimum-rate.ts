/** A download that trickles: in each window of time at least so many bytes have to come, or it is ended. */

export interface MinimumRate {
  /** Bytes a second, on average over a window. */
  bytes: number;
  /** Seconds. */
  window: number;
}

export interface RateMeter extends Disposable {
  count(bytes: number): void;
}

/** Starts at once. `slow` is called once, with what was expected and what came. */
export function meterRate(rate: MinimumRate, slow: (message: string) => void): RateMeter {
  let came = 0;
  const timer = setInterval(() => {
    if (came < rate.bytes * rate.window) {
      clearInterval(timer);
      slow(
        `expected at least ${String(rate.bytes)} bytes a second, got ${String(came)} in ${String(rate.window)} s`,
      );
    }
    came = 0;
  }, rate.window * 1_000);
  return {
    count(bytes) {
      came += bytes;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
