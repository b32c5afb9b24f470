/**
 * Limits of one API process: one table, which docs/operations.md#limits repeats. They are generous: a page with many tabs,
 * streams that reconnect and scripts stay far below. Tests inject smaller ones.
 */

export interface GateLimits {
  /** Requests worked on at the same time. */
  at_once: number;
  /** Requests that may wait; further ones are refused. */
  waiting: number;
}

export interface Limits {
  /** Work that takes long: checking a plan; a list; one job. All other requests pass no gate. */
  gates: Record<'plans' | 'lists' | 'jobs', GateLimits>;
  /** Milliseconds a request waits at a gate. */
  wait_ms: number;
  /** Event streams, opening ones among them. */
  streams: number;
  connections: number;
  /** Milliseconds from the first byte of a request to the end of its headers, and to its last byte. */
  headers_ms: number;
  request_ms: number;
  /** Milliseconds a connection may be without a byte in either direction while an answer is not read. */
  stalled_ms: number;
  /** Milliseconds between two checks of those times. */
  check_ms: number;
  /** Bytes of bodies held at the same time: of plans, and of webhooks, which come without a key. */
  held: Record<'plans' | 'webhooks', number>;
  /** Of one client; null: any number. */
  requests_per_minute: number | null;
}

const MIB = 1024 * 1024;

/** The largest body: a plan, or a prediction with its log. */
export const MAX_BODY = MIB;
/** Payloads of a history, in base64; Temporal itself takes 4 MiB a message. */
export const MAX_CODEC_BODY = 8 * MIB;
/** Of the routes that take none of these. */
export const SMALL_BODY = 16 * 1024;

export const LIMITS: Limits = {
  gates: {
    plans: { at_once: 4, waiting: 64 },
    lists: { at_once: 4, waiting: 64 },
    jobs: { at_once: 16, waiting: 256 },
  },
  wait_ms: 10_000,
  streams: 2_000,
  connections: 5_000,
  headers_ms: 15_000,
  request_ms: 30_000,
  stalled_ms: 120_000,
  check_ms: 1_000,
  held: { plans: 64 * MIB, webhooks: 16 * MIB },
  requests_per_minute: null,
};
