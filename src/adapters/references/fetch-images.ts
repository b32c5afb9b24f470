/**
 * Fetches the reference images of one job: in the download slots that all jobs of this process share, with retries of what may
 * pass, and within the time and bytes that the images of one plan may take.
 *
 * FETCH-IMAGES-1 A slot is held until its image was read whole and used: no more images are in memory than there are slots.
 * FETCH-IMAGES-2 When a limit of the plan is reached, the images that were not fetched yet are refused with the figures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '../network/deadline.js';
import { DownloadSlots } from '../network/download-slots.js';
import { safeFetch } from '../network/safe-fetch.js';
import type { Fetched, SafeFetchOptions } from '../network/safe-fetch.js';

export interface ReferenceFetchOptions {
  /** `host` or `host:port` that may be loopback or private. */
  allow_hosts: readonly string[];
  /** Milliseconds before each retry; longer where the host asks for it. */
  retry_after?: readonly number[];
  /** Milliseconds for an image, without the wait for a slot. */
  timeout?: number;
  rate?: SafeFetchOptions['rate'];
  limits?: Partial<PlanLimits>;
  /** Those of all jobs of this process when absent. */
  slots?: DownloadSlots;
}

/** What the images of one plan may take together. */
interface PlanLimits {
  /** Milliseconds from the first request on, all waits included. */
  overall: number;
  /** Milliseconds of all fetches that failed, in sum. */
  failed: number;
  /** Of all bodies. */
  bytes: number;
}

const LIMITS: PlanLimits = { overall: 30 * 60_000, failed: 20 * 60_000, bytes: 4 * 2 ** 30 };
const RETRY_AFTER = [1_000, 3_000];
/** Milliseconds for which a host is paused at most. */
const MAX_PAUSE = 60_000;

/** Of this process: some hundreds of megabytes at most. 32 slots are kept for jobs that hold none. */
const SLOTS = new DownloadSlots({
  total: 40,
  per_job: 6,
  beyond_first: 8,
  per_host: { slots: 4, per_second: 20 },
});

interface ReferenceFetch {
  /** What is wrong with an image, or what `use` answers for its bytes; null when nothing is. */
  fetch(url: string, signal: AbortSignal, use: Use, expected?: string): Promise<string | null>;
  /** Why nothing is being fetched right now; null while something is, or nothing was asked for. */
  waiting(): string | null;
}

type Use = (bytes: Buffer) => Promise<string | null>;

interface FetchTask {
  url: string;
  signal: AbortSignal;
  use: Use;
  expected: string | undefined;
}

/** Null: used. A text: final. Else a retry may help, after the milliseconds that the host asks for. */
type Outcome = null | string | { message: string; wait: number };

export function createReferenceFetch(job: string, options: ReferenceFetchOptions): ReferenceFetch {
  const limits = { ...LIMITS, ...options.limits };
  const slots = options.slots ?? SLOTS;
  const spent = { bytes: 0, failed_ms: 0 };
  const images = { read: 0, failed: 0 };
  let started: number | null = null;
  let slotsHeld = 0;
  let pending = 0;

  /** FETCH-IMAGES-2 Aborts every fetch and every wait, with the reason. */
  const limitReached = new AbortController();
  const checkLimits = (): void => {
    if (spent.bytes > limits.bytes) {
      limitReached.abort(
        `not fetched: the images of a plan may have ${megabytes(limits.bytes)} MB together, ${String(images.read)} of them were read before that`,
      );
    } else if (spent.failed_ms > limits.failed) {
      limitReached.abort(
        `not fetched: ${String(images.failed)} images of this plan could not be fetched, which took ${seconds(spent.failed_ms)} s of at most ${seconds(limits.failed)} s`,
      );
    }
  };
  const outOfTime = (): string =>
    `not fetched: the images of a plan may take ${seconds(limits.overall)} s together, ${String(images.read)} of them were read in that time`;

  async function attempt({ url, signal, use, expected }: FetchTask): Promise<Outcome> {
    let slot: Disposable | undefined;
    let waited = 0;
    let lastHost = '';
    const release = (): void => {
      if (slot !== undefined) slotsHeld -= 1;
      slot?.[Symbol.dispose]();
      slot = undefined;
    };
    const before = performance.now();
    try {
      const fetched = await safeFetch(url, {
        allow_hosts: options.allow_hosts,
        ...(expected === undefined ? {} : { expected }),
        ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
        ...(options.rate === undefined ? {} : { rate: options.rate }),
        signal,
        async visit(host) {
          release();
          const since = performance.now();
          slot = await slots.acquire({ job, host }, signal);
          slotsHeld += 1;
          lastHost = host;
          waited += performance.now() - since;
        },
        count: (bytes) => {
          spent.bytes += bytes;
          checkLimits();
        },
      });
      if (fetched.type === 'fetched') {
        images.read += 1;
        return await use(fetched.bytes); // FETCH-IMAGES-1
      }
      spent.failed_ms += performance.now() - before - waited;
      images.failed += 1;
      checkLimits();
      return outcomeOf(lastHost, fetched);
    } finally {
      release();
    }
  }

  function outcomeOf(host: string, refused: Extract<Fetched, { type: 'refused' }>): Outcome {
    const { message, final, retry_after } = refused;
    if (final) return message;
    const wait = (retry_after ?? 0) * 1_000;
    // For all jobs, but not for long: one URL of a host may ask for a wait that its others do not need.
    if (wait > 0) slots.pause(host, Math.min(wait, MAX_PAUSE));
    return { message, wait };
  }

  async function withRetries(task: FetchTask): Promise<string | null> {
    const end = (started ??= Date.now()) + limits.overall;
    let outcome: Outcome = null;
    for (const delay of [0, ...(options.retry_after ?? RETRY_AFTER)]) {
      if (outcome !== null && typeof outcome !== 'string') {
        const wait = Math.max(delay, outcome.wait);
        if (Date.now() + wait > end) {
          return `${outcome.message}, and a wait of ${seconds(wait)} s, which is longer than this plan has left`;
        }
        await sleep(wait, undefined, { signal: task.signal });
      }
      outcome = await attempt(task);
      if (outcome === null || typeof outcome === 'string') return outcome;
    }
    return outcome?.message ?? null;
  }

  return {
    async fetch(url, signal, use, expected) {
      const left = (started ??= Date.now()) + limits.overall - Date.now();
      if (left <= 0) return outOfTime();
      using rest = deadline(left, AbortSignal.any([signal, limitReached.signal]));
      pending += 1;
      try {
        rest.signal.throwIfAborted();
        return await withRetries({ url, signal: rest.signal, use, expected });
      } catch (error) {
        signal.throwIfAborted();
        if (limitReached.signal.aborted) return String(limitReached.signal.reason);
        if (rest.signal.aborted) return outOfTime();
        throw error;
      } finally {
        pending -= 1;
      }
    },
    waiting: () =>
      pending > 0 && slotsHeld === 0
        ? 'waits for its turn to be fetched, after images of other jobs, or for a host that asked to wait'
        : null,
  };
}

const seconds = (milliseconds: number): string => String(Math.round(milliseconds / 1_000));
const megabytes = (bytes: number): string => String(Math.round(bytes / 2 ** 20));
