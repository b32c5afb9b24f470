/**
 * A job's events over any number of connections: follows `GET /v1/jobs/:job_id/events`, resumes by Last-Event-ID,
 * and outlives restarts of the server. Ends when the server says that the job is over (204).
 *
 * E1 every durable event comes out once, in order of seq, with no gap.
 * E2 only a connection that delivered a frame resets the backoff.
 * E3 silence longer than the server's keep-alives allow counts as a lost connection.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, JobEvent } from '../domain/job/job.schema.js';
import { createSseParser } from '../client/sse-parser.js';
import type { SseFrame } from '../client/sse-parser.js';
import { ApiProblem, problemOf } from './api-client.js';

/** Data of a `clip.progress` frame: what a clip does right now; never durable, never replayed. */
export interface ClipProgress {
  clip_index: number;
  attempt: number;
  /** Of the render, 0–100. */
  percent: number | null;
  phase: string;
  next_attempt_at?: string;
  /** When a wait inside the attempt ends. */
  until?: string;
  last_error?: string;
  message?: string;
  estimated: boolean;
  /** No worker answers right now. */
  stale?: true;
}

export type StreamItem =
  | { kind: 'event'; event: JobEvent }
  | { kind: 'snapshot'; job: Job }
  | { kind: 'progress'; progress: ClipProgress }
  | { kind: 'connected' }
  | { kind: 'lost'; reason: string };

export interface StreamOptions {
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** The last seq already known; 0 = from the beginning. */
  after: number;
  signal: AbortSignal;
  /** Milliseconds; the server sends a byte every 15 s. */
  silence?: number;
  /** Milliseconds before the nth reconnection in a row. */
  backoff?: (failures: number) => number;
}

const SILENCE = 45_000;
const defaultBackoff = (failures: number): number => Math.min(5_000, 250 * 2 ** (failures - 1));

/** How one connection went. */
type Outcome =
  | { kind: 'over' }
  | { kind: 'ended'; frames: number }
  | { kind: 'broken'; frames: number; reason: string; wait?: number };

interface Position {
  seq: number;
}

export async function* followEvents(
  options: StreamOptions,
): AsyncGenerator<StreamItem, void, void> {
  const position: Position = { seq: options.after };
  const backoff = options.backoff ?? defaultBackoff;
  for (let failures = 0; !options.signal.aborted;) {
    const outcome = yield* oneConnection(options, position);
    if (outcome.kind === 'over') return;
    failures = outcome.frames > 0 ? 0 : failures + 1; // E2
    if (outcome.kind === 'broken') yield { kind: 'lost', reason: outcome.reason };
    // A stream that ended well after frames is asked again at once: its answer is 204, or more events.
    if (failures === 0 && outcome.kind === 'ended') continue;
    const wait = Math.max(
      backoff(Math.max(1, failures)),
      outcome.kind === 'broken' ? (outcome.wait ?? 0) : 0,
    );
    await sleep(wait, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function* oneConnection(
  options: StreamOptions,
  position: Position,
): AsyncGenerator<StreamItem, Outcome, void> {
  const quiet = new AbortController();
  const watchdog = setTimeout(() => {
    quiet.abort();
  }, options.silence ?? SILENCE);
  let frames = 0;
  try {
    const response = await request(options, position, quiet.signal);
    if (response.status === 204) return { kind: 'over' };
    yield { kind: 'connected' };
    for await (const frame of framesOf(response, () => watchdog.refresh())) {
      frames += 1;
      const item = readFrame(frame, position);
      if (item === 'gap') return { kind: 'broken', frames: 0, reason: 'events were missing' };
      if (item !== null) yield item;
    }
    return { kind: 'ended', frames };
  } catch (error) {
    if (error instanceof FinalRefusal) throw error.cause;
    if (options.signal.aborted) return { kind: 'over' };
    const reason = quiet.signal.aborted ? 'the server went silent' : reasonOf(error);
    // A 503 ends when it ends, and is asked for again sooner; a client that asks too often does so the longer.
    const wait = error instanceof ApiProblem && error.status === 429 ? (error.retryAfter ?? 0) : 0;
    return { kind: 'broken', frames, reason, wait };
  } finally {
    clearTimeout(watchdog);
    quiet.abort();
  }
}

/** An answer that asking again cannot better: no such job, no valid key. */
class FinalRefusal extends Error {}

async function request(
  options: StreamOptions,
  position: Position,
  quiet: AbortSignal,
): Promise<Response> {
  const url = new URL(options.url);
  if (position.seq === 0) url.searchParams.set('after', '0');
  const response = await fetch(url, {
    signal: AbortSignal.any([options.signal, quiet]),
    headers: {
      ...options.headers,
      accept: 'text/event-stream',
      ...(position.seq === 0 ? {} : { 'last-event-id': String(position.seq) }),
    },
  });
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status >= 500 || response.status === 429) throw problem;
  throw new FinalRefusal(problem.message, { cause: problem });
}

async function* framesOf(
  response: Response,
  heard: () => void,
): AsyncGenerator<SseFrame, void, void> {
  const parser = createSseParser();
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    heard(); // E3
    yield* parser.push(decoder.decode(chunk as Uint8Array, { stream: true }));
  }
}

/** The item in a frame; null for what is known already or not understood. */
function readFrame(frame: SseFrame, position: Position): StreamItem | 'gap' | null {
  if (frame.event === 'snapshot') {
    const job = objectIn(frame, 'seq') as unknown as Job;
    if (!Array.isArray(job.clips)) throw new UnreadableFrame();
    // The position was beyond the log, so the server starts anew from here.
    position.seq = job.seq;
    return { kind: 'snapshot', job };
  }
  if (frame.event === 'clip.progress') {
    return { kind: 'progress', progress: objectIn(frame, 'clip_index') as unknown as ClipProgress };
  }
  if (frame.id === null) return null;
  const event = objectIn(frame, 'seq') as unknown as JobEvent;
  if (event.seq <= position.seq) return null; // E1
  if (event.seq > position.seq + 1) return 'gap'; // E1
  position.seq = event.seq;
  return { kind: 'event', event };
}

class UnreadableFrame extends Error {
  override readonly message = 'expected an event of a job, got something else';
}

/** The object in a frame, whose field of this name is a whole number: another server may stand there, or none of ours. */
function objectIn({ data }: SseFrame, whole: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(data);
  const object = typeof value === 'object' && value !== null ? value : {};
  const found = object as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(found[whole])) throw new UnreadableFrame();
  return found;
}

/** fetch hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ''
    ? error.cause.message
    : error.message;
}
