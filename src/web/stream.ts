/**
 * One job's events, for as long as its page is open: the client's follower, with what only a browser knows. It follows the
 * stream while the page is visible and one of the browser's few streams is free (connections.ts). Otherwise it asks now and
 * then for what came after the last seq, in short answers that end.
 */
import { boundedText } from '../http/bounded-text.js';
import { linkedTo, pause } from '../client/abortable.js';
import { ApiError } from '../client/api-error.js';
import { followEvents, type Connection, type FollowItem } from '../client/follow-events.js';
import { api } from './api-client.js';
import { inTurn, takeStream } from './connections.js';

export type StreamState =
  | { kind: 'connecting' }
  | { kind: 'open' }
  | { kind: 'lost' }
  | { kind: 'over' }
  | { kind: 'refused'; status: number };

interface StreamSource {
  job_id: string;
  /** The last seq folded; null for a snapshot first. */
  position(): number | null;
  onItem(item: FollowItem): void;
  onState(state: StreamState): void;
  /** The server wants a key; resolves when there is one. */
  onUnauthorized(): Promise<void>;
}

interface Stream {
  /** Try now: the network is back, the tab is looked at again, the job was started again. */
  nudge(): void;
  close(): void;
}

/** Between two short answers. */
const ASK_EVERY = { visible: 2000, hidden: 20_000 };
/** Of one short answer, so that the turn passes on. */
const MAX_SHORT = 10_000;
/** Until a refusal is asked about again. */
const REFUSED = 60_000;
const NEVER = 2 ** 31 - 1;

const isVisible = (): boolean => document.visibilityState === 'visible';
const backoff = (failures: number): number =>
  isVisible() ? Math.min(3000, 400 * 2 ** (failures - 1)) : ASK_EVERY.hidden;

export function openStream(source: StreamSource): Stream {
  let isClosed = false;
  let holdsStream = false;
  /** From one nudge to the next. */
  let round = new AbortController();

  const nudge = (): void => {
    round.abort();
  };
  /** Hidden, the stream goes back; shown again, what was missed comes at once. */
  const onVisibility = (): void => {
    if (isVisible() || holdsStream) nudge();
  };
  document.addEventListener('visibilitychange', onVisibility);

  const open = async (position: number | null, signal: AbortSignal): Promise<Connection> => {
    const release = isVisible() ? await takeStream() : null;
    if (release === null) return shortAnswer(source.job_id, position, signal);
    holdsStream = true;
    const close = (): void => {
      holdsStream = false;
      release();
    };
    try {
      if (!isVisible()) nudge(); // hidden in between
      return { ...(await api.events(source.job_id, position, { signal })), close };
    } catch (error) {
      close();
      throw error;
    }
  };

  const onItem = (item: FollowItem): void => {
    if (item.kind === 'connected') source.onState({ kind: 'open' });
    else if (item.kind === 'lost') source.onState({ kind: 'lost' });
    else source.onItem(item);
  };

  async function follow(signal: AbortSignal): Promise<void> {
    source.onState({ kind: 'connecting' });
    try {
      const after = source.position();
      for await (const item of followEvents({ open, after, signal, backoff })) {
        if (!signal.aborted) onItem(item);
      }
      if (signal.aborted) return;
      source.onState({ kind: 'over' });
      await pause(NEVER, signal); // until the job is started again
    } catch (error) {
      if (signal.aborted) return;
      const status = error instanceof ApiError ? error.status : 0;
      if (status === 401) return source.onUnauthorized();
      source.onState({ kind: 'refused', status });
      await pause(REFUSED, signal);
    }
  }

  async function run(): Promise<void> {
    for (; !isClosed; round = new AbortController()) await follow(round.signal);
  }

  void run();
  return {
    nudge,
    close() {
      isClosed = true;
      document.removeEventListener('visibilitychange', onVisibility);
      nudge();
    },
  };
}

/** Read whole before it is given on, so that the turn is held for no longer than the answer takes. */
async function shortAnswer(
  jobId: string,
  position: number | null,
  signal: AbortSignal,
): Promise<Connection> {
  return inTurn('short', async () => {
    const limit = linkedTo(signal);
    const timer = setTimeout(() => {
      limit.abort(new Error('the server did not answer in time'));
    }, MAX_SHORT);
    try {
      const { response } = await api.events(jobId, position, {
        signal: limit.signal,
        query: '?follow=false',
      });
      const { status } = response;
      const text = status === 204 ? null : await boundedText(response, { signal: limit.signal });
      const againIn = isVisible() ? ASK_EVERY.visible : ASK_EVERY.hidden;
      return { response: new Response(text, { status }), againIn };
    } finally {
      clearTimeout(timer);
      limit.release();
    }
  });
}
