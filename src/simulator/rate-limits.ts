/** Replicate's rate limits as token buckets: full at first, refilled evenly, no timer. */
import type { Settings } from './runtime-settings.js';

/** `burst` requests at once, `per_minute` in the long run. */
interface Limit {
  per_minute: number;
  burst: number;
}

type Admission = { admitted: true; remaining: number } | { admitted: false; wait: number };

class Bucket {
  #tokens: number | null = null;
  #at = 0;

  /** `wait` is in whole seconds, at least one. */
  take({ per_minute: perMinute, burst }: Limit, now: number): Admission {
    const refilled = ((now - this.#at) / 60_000) * perMinute;
    const tokens = this.#tokens === null ? burst : Math.min(burst, this.#tokens + refilled);
    this.#at = now;
    if (tokens < 1) {
      this.#tokens = tokens;
      return { admitted: false, wait: Math.max(1, Math.ceil(((1 - tokens) / perMinute) * 60)) };
    }
    this.#tokens = tokens - 1;
    return { admitted: true, remaining: Math.floor(tokens - 1) };
  }

  refill(): void {
    this.#tokens = null;
  }
}

export class RateLimits {
  readonly #creates = new Bucket();
  readonly #others = new Bucket();

  take(kind: 'create' | 'other', settings: Settings, now: number): Admission {
    if (kind === 'other') {
      const perMinute = settings.requests_per_minute;
      return this.#others.take({ per_minute: perMinute, burst: perMinute }, now);
    }
    const limit = settings.low_credit
      ? { per_minute: 6, burst: 1 }
      : { per_minute: settings.creates_per_minute, burst: settings.creates_per_minute };
    return this.#creates.take(limit, now);
  }

  /** Changed limits begin anew. */
  refill(): void {
    this.#creates.refill();
    this.#others.refill();
  }
}
