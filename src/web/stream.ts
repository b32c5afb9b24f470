/**
 * One job's events, for as long as its page is open: connects, resumes by the last folded seq, notices silence and a
 * laptop's sleep, tries again with backoff. It knows nothing of jobs; what a frame means, where to resume and when it is
 * over are its caller's answers.
 *
 * T1 at most one connection at a time.
 * T2 a connection silent for longer than three keep-alives is dead, whatever the socket says.
 * T3 it follows the stream only while the page is visible and one of the browser's few streams is free
 *    (connections.ts). Otherwise it asks now and then for what came after the last seq, in short answers that end.
 */
import { inTurn, takeStream } from './connections.js';
import { createSseParser, type SseFrame } from '../client/sse-parser.js';

export type StreamState =
  | { kind: 'connecting' }
  | { kind: 'open' }
  | { kind: 'lost'; retry_at: number }
  | { kind: 'over' }
  | { kind: 'refused'; status: number };

export interface StreamSource {
  url: string;
  headers(): Record<string, string>;
  /** The last seq folded; null for a snapshot first. */
  position(): number | null;
  /** False when the frame cannot be used and the stream must start again from `position`. */
  onFrame(frame: SseFrame): boolean;
  onState(state: StreamState): void;
  /** Is the job over, so that the stream's end is its end? */
  isOver(): boolean;
  /** The server wants a key; resolves when there is one. */
  onUnauthorized(): Promise<void>;
}

export interface Stream {
  /** Try now: the network is back, the tab is looked at again, the job was started again. */
  nudge(): void;
  close(): void;
}

const SILENCE = 46_000;
const TICK = 2000;
/** A timer late by this much means that the machine slept. */
const SLEPT = 15_000;
const MAX_WAIT = 60_000;
const BACKOFF = { first: 400, most: 3000 };
/** Between two short answers. */
const ASK_EVERY = { visible: 2000, hidden: 20_000 };
/** Of one short answer, so that the turn passes on. */
const MAX_SHORT = 10_000;

type Outcome =
  'over' | 'again' | 'lost' | 'asked' | 'unauthorized' | { refused: number } | { wait: number };

const isVisible = (): boolean => document.visibilityState === 'visible';

export function openStream(source: StreamSource): Stream {
  let closed = false;
  let failures = 0;
  let connection: AbortController | null = null;
  let follows = false;
  let lastByte = Date.now();
  let wake: () => void = () => undefined;

  const watch = setInterval(
    watchdog(() => lastByte, restart),
    TICK,
  );

  /** Hidden, the stream goes back (T3); shown again, what was missed comes at once. */
  function onVisibility(): void {
    if (isVisible()) restart();
    else if (follows) connection?.abort();
  }
  document.addEventListener('visibilitychange', onVisibility);

  function restart(): void {
    failures = 0;
    connection?.abort();
    wake();
  }

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function run(): Promise<void> {
    while (!closed) {
      source.onState({ kind: 'connecting' });
      lastByte = Date.now();
      connection = new AbortController();
      const outcome = await ask(connection);
      if (closed) return;
      await settle(outcome);
    }
  }

  async function ask(mine: AbortController): Promise<Outcome> {
    const onBytes = (): void => {
      failures = 0;
      lastByte = Date.now();
    };
    const release = isVisible() ? await takeStream() : null;
    if (release !== null) {
      follows = true;
      try {
        if (!isVisible()) return 'again'; // hidden in between
        return await connect(source, mine, onBytes, source.url);
      } finally {
        follows = false;
        release();
      }
    }
    return inTurn('short', () => {
      const timer = setTimeout(() => {
        mine.abort();
      }, MAX_SHORT);
      return connect(source, mine, onBytes, `${source.url}?follow=false`).finally(() => {
        clearTimeout(timer);
      });
    });
  }

  async function settle(outcome: Outcome): Promise<void> {
    if (typeof outcome === 'object' && 'wait' in outcome) {
      source.onState({ kind: 'lost', retry_at: Date.now() + outcome.wait });
      return pause(outcome.wait);
    }
    if (typeof outcome === 'object') {
      source.onState({ kind: 'refused', status: outcome.refused });
      return pause(60_000);
    }
    if (outcome === 'over') {
      source.onState({ kind: 'over' });
      return new Promise((resolve) => {
        wake = resolve; // until somebody starts the job again
      });
    }
    if (outcome === 'unauthorized') return source.onUnauthorized();
    if (!isVisible()) return pause(ASK_EVERY.hidden);
    if (outcome === 'asked') return pause(ASK_EVERY.visible);
    if (outcome === 'again') return pause(BACKOFF.first);
    const delay = Math.min(BACKOFF.most, BACKOFF.first * 2 ** failures);
    failures += 1;
    source.onState({ kind: 'lost', retry_at: Date.now() + delay });
    return pause(delay);
  }

  void run();
  return {
    nudge: restart,
    close() {
      closed = true;
      clearInterval(watch);
      document.removeEventListener('visibilitychange', onVisibility);
      connection?.abort();
      wake();
    },
  };
}

/** Called every TICK: asks for a restart after silence (T2) and after sleep. */
function watchdog(lastByte: () => number, restart: () => void): () => void {
  let lastTick = Date.now();
  return () => {
    const time = Date.now();
    const slept = time - lastTick > TICK + SLEPT;
    lastTick = time;
    if (slept || time - lastByte() > SILENCE) restart();
  };
}

async function connect(
  source: StreamSource,
  connection: AbortController,
  onBytes: () => void,
  url: string,
): Promise<Outcome> {
  const position = source.position();
  const resume: Record<string, string> =
    position === null ? {} : { 'last-event-id': String(position) };
  try {
    connection.signal.throwIfAborted(); // while it waited for its turn
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...resume, ...source.headers() },
      cache: 'no-store',
      signal: connection.signal,
    });
    if (response.status === 401) return 'unauthorized';
    if (response.status === 204) return 'over';
    if (response.status === 429) return { wait: waitOf(response) };
    if (response.status >= 400 && response.status < 500) return { refused: response.status };
    if (!response.ok || response.body === null) return 'lost';
    source.onState({ kind: 'open' });
    const complete = await readFrames(response.body, source, onBytes);
    if (!complete) return 'again';
    if (source.isOver()) return 'over';
    return url === source.url ? 'lost' : 'asked';
  } catch {
    return connection.signal.aborted ? 'again' : 'lost';
  } finally {
    connection.abort(); // T1: whatever ended it, nothing of this connection goes on
  }
}

/** Milliseconds until the server wants to be asked again. */
function waitOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_WAIT) : BACKOFF.most;
}

async function readFrames(
  body: ReadableStream<Uint8Array>,
  source: StreamSource,
  onBytes: () => void,
): Promise<boolean> {
  const parser = createSseParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    onBytes();
    for (const frame of parser.push(decoder.decode(value, { stream: true }))) {
      if (!source.onFrame(frame)) return false;
    }
  }
}
