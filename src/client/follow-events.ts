/**
 * The events of one job over any number of connections: resumes by the last event's seq, notices gaps, silence and a machine
 * that slept, waits longer after each failure, and outlives restarts of the API. It ends when the API says that the job is over
 * and that this was its last event (204). How a connection is opened is its caller's answer.
 *
 * FOLLOW-1 every durable event comes out once, in order of seq, with no gap.
 * FOLLOW-2 only a connection that delivered a frame makes the waits short again.
 * FOLLOW-3 a connection that is silent for three keep-alives, or over which the machine slept, is lost, also where its socket is open.
 * FOLLOW-4 there is at most one connection at a time.
 */
import { linkedTo, pause, type Linked } from './abortable.js';
import { ApiError, reasonOf } from './api-error.js';
import { createSseParser, type SseFrame } from './sse-parser.js';
import type { ClipProgress, JobEvent, JobSnapshot } from './wire.js';

export type FollowItem =
  | { kind: 'event'; event: JobEvent }
  /** The job as it is: where a reader without a position begins, and where one beyond the log begins again. */
  | { kind: 'snapshot'; job: JobSnapshot }
  /** What a clip does right now; neither durable nor repeated. */
  | { kind: 'progress'; progress: ClipProgress }
  | { kind: 'connected' }
  /** It is tried again by itself. */
  | { kind: 'lost'; reason: string };

export interface Connection {
  response: Response;
  /** Called once, when nothing of the answer is read any more. */
  close?: () => void;
  /** Only of an answer that ends with what there is now: milliseconds until the next one is asked for. */
  againIn?: number;
}

export interface FollowOptions {
  /** Events after `position`; null: a snapshot first. Rejects with an ApiError when the API refuses. */
  open: (position: number | null, signal: AbortSignal) => Promise<Connection>;
  /** The seq of the last event that is known; 0: from the beginning; null: begin with a snapshot. */
  after: number | null;
  signal: AbortSignal;
  /** Milliseconds; the API sends a byte every 15 s. */
  silence?: number;
  /** Milliseconds before the nth connection in a row that follows a failure. */
  backoff?: (failures: number) => number;
}

const SILENCE = 46_000;
const TICK = 2_000;
/** A timer late by this much means that the machine slept. */
const SLEPT = 15_000;
const usualBackoff = (failures: number): number => Math.min(5_000, 250 * 2 ** (failures - 1));

/** How one connection went. */
type Outcome =
  | { kind: 'over' }
  | { kind: 'ended'; frames: number; againIn: number | undefined }
  | { kind: 'broken'; frames: number; reason: string; wait: number };

interface Position {
  seq: number | null;
}

/** Ends quietly when `signal` is aborted. Throws the ApiError of a refusal that asking again cannot change. */
export async function* followEvents(
  options: FollowOptions,
): AsyncGenerator<FollowItem, void, void> {
  const { signal, backoff = usualBackoff } = options;
  const position: Position = { seq: options.after };
  for (let failures = 0; !signal.aborted;) {
    const outcome = yield* oneConnection(options, position);
    if (outcome.kind === 'over') return;
    if (outcome.kind === 'ended' && outcome.againIn !== undefined) {
      failures = 0;
      await pause(outcome.againIn, signal);
      continue;
    }
    failures = outcome.frames > 0 ? 0 : failures + 1; // FOLLOW-2
    if (outcome.kind === 'broken') yield { kind: 'lost', reason: outcome.reason };
    // A stream that ended well after frames is asked for again at once: the answer is 204, or more events.
    if (failures === 0 && outcome.kind === 'ended') continue;
    const asked = outcome.kind === 'broken' ? outcome.wait : 0;
    await pause(Math.max(backoff(Math.max(1, failures)), asked), signal);
  }
}

async function* oneConnection(
  options: FollowOptions,
  position: Position,
): AsyncGenerator<FollowItem, Outcome, void> {
  const link = linkedTo(options.signal);
  const watchdog = startWatchdog(link, options.silence ?? SILENCE);
  let connection: Connection | null = null;
  let frames = 0;
  try {
    connection = await options.open(position.seq, link.signal);
    const { response, againIn } = connection;
    if (response.status === 204) return { kind: 'over' };
    yield { kind: 'connected' };
    for await (const frame of framesOf(response, link.signal, watchdog.heard)) {
      frames += 1;
      const item = readFrame(frame, position);
      if (item === 'gap') {
        return { kind: 'broken', frames: 0, reason: 'events were missing', wait: 0 };
      }
      if (item !== null) yield item;
    }
    return { kind: 'ended', frames, againIn };
  } catch (error) {
    if (options.signal.aborted) return { kind: 'over' };
    if (error instanceof ApiError && error.isFinal) throw error;
    // A 503 ends when it ends, and is asked again sooner; a client that asks too often waits as long as it is told.
    const wait = error instanceof ApiError && error.status === 429 ? (error.retryAfter ?? 0) : 0;
    return { kind: 'broken', frames, reason: watchdog.why() ?? reasonOf(error), wait };
  } finally {
    watchdog.stop();
    link.abort(); // FOLLOW-4
    link.release();
    connection?.close?.();
  }
}

interface Watchdog {
  heard: () => void;
  /** Why it has ended the connection; null while it has not. */
  why: () => string | null;
  stop: () => void;
}

/** FOLLOW-3. */
function startWatchdog(link: Linked, silence: number): Watchdog {
  const tick = Math.min(TICK, silence / 2);
  let [lastHeard, lastTick] = [Date.now(), Date.now()];
  let why: string | null = null;
  const timer = setInterval(() => {
    const time = Date.now();
    if (time - lastTick > tick + SLEPT) why = 'this machine slept';
    else if (time - lastHeard > silence) why = 'the server went silent';
    lastTick = time;
    if (why !== null) link.abort();
  }, tick);
  return {
    heard: () => {
      lastHeard = Date.now();
    },
    why: () => why,
    stop: () => {
      clearInterval(timer);
    },
  };
}

async function* framesOf(
  response: Response,
  signal: AbortSignal,
  heard: () => void,
): AsyncGenerator<SseFrame, void, void> {
  if (response.body === null) return;
  const parser = createSseParser();
  const decoder = new TextDecoder();
  // Not `for await`: streams of some browsers have no iterator.
  const body: ReadableStream<Uint8Array> = response.body;
  const reader = body.getReader();
  // The signal of the request alone does not end every body of Node's fetch (bounded-text.ts).
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return;
    heard();
    yield* parser.push(decoder.decode(value, { stream: true }));
  }
}

/** The item in a frame; null for what is known already or not understood. */
function readFrame(frame: SseFrame, position: Position): FollowItem | 'gap' | null {
  if (frame.event === 'snapshot') {
    const job = objectIn(frame, 'seq') as unknown as JobSnapshot;
    if (!Array.isArray(job.clips)) throw new UnreadableFrame();
    position.seq = job.seq;
    return { kind: 'snapshot', job };
  }
  if (frame.event === 'clip.progress') {
    return { kind: 'progress', progress: objectIn(frame, 'clip_index') as unknown as ClipProgress };
  }
  if (frame.id === null) return null;
  const event = objectIn(frame, 'seq') as unknown as JobEvent;
  // FOLLOW-1
  if (position.seq !== null && event.seq <= position.seq) return null;
  if (event.seq !== (position.seq ?? 0) + 1) return 'gap';
  position.seq = event.seq;
  return { kind: 'event', event };
}

class UnreadableFrame extends Error {
  override readonly message = 'expected an event of a job, got something else';
}

/** The object in a frame, whose field of this name is a whole number: another server may stand there, or none of ours. */
function objectIn({ data }: SseFrame, whole: string): Readonly<Record<string, unknown>> {
  const found = Object(JSON.parse(data)) as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(found[whole])) throw new UnreadableFrame();
  return found;
}
