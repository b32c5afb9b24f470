/**
 * Fetches the reference images of one job: in turns with the other jobs of this process, patient with what passes, and
 * within what a plan's images may take of time and bytes.
 *
 * R1 An image is read whole before its place is given up, and used before that too: so many images are in memory at
 *    once as there are places.
 * R2 Where a limit of the plan is reached, what has not been fetched is refused with the figures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '../network/deadline.js';
import { Places } from '../network/download-slots.js';
import { safeFetch } from '../network/safe-fetch.js';
import type { Fetched, SafeFetchOptions } from '../network/safe-fetch.js';

export interface ReferenceFetchOptions {
  /** `host` or `host:port` that may be loopback or private. */
  allow_hosts: readonly string[];
  /** Milliseconds before each further try of what may pass; longer where the host asks for it. */
  retry_after?: readonly number[];
  /** Milliseconds for an image, without waiting for a turn. */
  timeout?: number;
  rate?: SafeFetchOptions['rate'];
  limits?: Partial<PlanLimits>;
  /** Of all jobs of this process when absent. */
  places?: Places;
}

/** What the images of one plan may take. */
export interface PlanLimits {
  /** Milliseconds from the first request on, with all waiting. */
  overall: number;
  /** Milliseconds of fetching, in sum, that came to nothing. */
  in_vain: number;
  /** Of all bodies. */
  bytes: number;
}

const LIMITS: PlanLimits = { overall: 30 * 60_000, in_vain: 20 * 60_000, bytes: 4 * 2 ** 30 };
const RETRY_AFTER = [1_000, 3_000];
/** Milliseconds for which a whole host is left alone at most. */
const LONGEST_HOLD = 60_000;

/** Of this process: some hundreds of megabytes at most, and a job without any finds a place beside 32 others. */
const PLACES = new Places({
  at_once: 40,
  share: 6,
  further: 8,
  host: { at_once: 4, per_second: 20 },
});

export interface ReferenceFetch {
  /** What is wrong with an image, or what `use` says of its bytes. */
  fetch(url: string, signal: AbortSignal, use: Use, expected?: string): Promise<string | null>;
  /** Why nothing is fetched at the moment; null while something is. */
  waiting(): string | null;
}

type Use = (bytes: Buffer) => Promise<string | null>;

interface Asked {
  url: string;
  signal: AbortSignal;
  use: Use;
  expected: string | undefined;
}

export function createReferenceFetch(job: string, options: ReferenceFetchOptions): ReferenceFetch {
  const limits = { ...LIMITS, ...options.limits };
  const places = options.places ?? PLACES;
  const spent = { bytes: 0, in_vain: 0, failed: 0, read: 0 };
  let began: number | null = null;
  let held = 0;
  let asking = 0;

  /** R2 Ends all that is under way or waits, with the reason. */
  const over = new AbortController();
  const check = (): void => {
    if (spent.bytes > limits.bytes) {
      over.abort(
        `not fetched: the images of a plan may have ${megabytes(limits.bytes)} MB together, ${String(spent.read)} of them were read before that`,
      );
    } else if (spent.in_vain > limits.in_vain) {
      over.abort(
        `not fetched: ${String(spent.failed)} images of this plan could not be had, which took ${seconds(spent.in_vain)} s of at most ${seconds(limits.in_vain)} s`,
      );
    }
  };
  const tooLate = (): string =>
    `not fetched: the images of a plan may take ${seconds(limits.overall)} s together, ${String(spent.read)} of them came in that time`;

  async function once({ url, signal, use, expected }: Asked): Promise<string | Waiting | null> {
    let place: Disposable | undefined;
    let waited = 0;
    let asked = '';
    const leave = (): void => {
      if (place !== undefined) held -= 1;
      place?.[Symbol.dispose]();
      place = undefined;
    };
    const started = performance.now();
    try {
      const fetched = await safeFetch(url, {
        allow_hosts: options.allow_hosts,
        ...(expected === undefined ? {} : { expected }),
        ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
        ...(options.rate === undefined ? {} : { rate: options.rate }),
        signal,
        async visit(host) {
          leave();
          const since = performance.now();
          place = await places.enter({ job, host }, signal);
          held += 1;
          asked = host;
          waited += performance.now() - since;
        },
        count: (bytes) => {
          spent.bytes += bytes;
          check();
        },
      });
      if (fetched.type === 'fetched') {
        spent.read += 1;
        return await use(fetched.bytes);
      }
      spent.in_vain += performance.now() - started - waited;
      spent.failed += 1;
      check();
      return waitOf(asked, fetched);
    } finally {
      leave();
    }
  }

  function waitOf(host: string, refused: Extract<Fetched, { type: 'refused' }>): string | Waiting {
    const { message, final, retry_after } = refused;
    if (final) return message;
    const wait = (retry_after ?? 0) * 1_000;
    // For all jobs; not for longer, since one address of a host may ask for what the others do not.
    if (wait > 0) places.holdOff(host, Math.min(wait, LONGEST_HOLD));
    return { message, wait };
  }

  async function patiently(asked: Asked): Promise<string | null> {
    const end = (began ??= Date.now()) + limits.overall;
    let outcome: string | Waiting | null = null;
    for (const delay of [0, ...(options.retry_after ?? RETRY_AFTER)]) {
      if (outcome !== null && typeof outcome !== 'string') {
        const wait = Math.max(delay, outcome.wait);
        if (Date.now() + wait > end) {
          return `${outcome.message}, and a wait of ${seconds(wait)} s, which is longer than this plan has left`;
        }
        await sleep(wait, undefined, { signal: asked.signal });
      }
      outcome = await once(asked);
      if (outcome === null || typeof outcome === 'string') return outcome;
    }
    return outcome?.message ?? null;
  }

  return {
    async fetch(url, signal, use, expected) {
      const left = (began ??= Date.now()) + limits.overall - Date.now();
      if (left <= 0) return tooLate();
      using rest = deadline(left, AbortSignal.any([signal, over.signal]));
      asking += 1;
      try {
        rest.signal.throwIfAborted();
        return await patiently({ url, signal: rest.signal, use, expected });
      } catch (error) {
        signal.throwIfAborted();
        if (over.signal.aborted) return String(over.signal.reason);
        if (rest.signal.aborted) return tooLate();
        throw error;
      } finally {
        asking -= 1;
      }
    },
    waiting: () =>
      asking > 0 && held === 0
        ? 'waits for its turn to be fetched, after images of other jobs, or for a host that asked to wait'
        : null,
  };
}

/** What may pass, and the milliseconds for which the host asks to be left alone. */
interface Waiting {
  message: string;
  wait: number;
}

const seconds = (milliseconds: number): string => String(Math.round(milliseconds / 1_000));
const megabytes = (bytes: number): string => String(Math.round(bytes / 2 ** 20));
