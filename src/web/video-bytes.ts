/**
 * The bytes of a finished video as they come, each video in its turn. What ends before it is whole is an error with the
 * clip's name, never a short video.
 */
import { authorization } from './api-key.js';
import { inTurn, takeTurn } from './connections.js';

export interface Video {
  /** As a sentence begins: "Clip 3". */
  name: string;
  url: string;
}

/** Milliseconds without a byte after which a download is given up. */
const SILENCE = 60_000;

/** How many bytes the server says it has; null when it does not say. Throws when there is no such video. */
export async function askSize({ name, url }: Video, signal: AbortSignal): Promise<number | null> {
  const response = await inTurn('short', () =>
    fetch(url, { method: 'HEAD', headers: authorization(), cache: 'no-store', signal }),
  ).catch(because(`${name} cannot be reached right now.`, signal));
  if (response.ok) return lengthOf(response);
  if (response.status === 405 || response.status === 501) return null;
  throw new Error(`${name} could not be fetched (${String(response.status)}).`);
}

/**
 * `size` is what was asked before: a file that has another one by now was made anew meanwhile, and is refused.
 * A reader that stops early aborts `signal`, which gives the turn back.
 */
export async function* videoBytes(
  { name, url, size }: Video & { size: number | null },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const release = await takeTurn('video', signal);
  signal.addEventListener('abort', release, { once: true });
  try {
    const broke = because(`${name} could not be fetched: the connection broke.`, signal);
    const response = await open(url, signal).catch(broke);
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || response.body === null) {
      throw new Error(`${name} could not be fetched (${String(response.status)}).`);
    }
    if (!/^(?:video\/|application\/octet-stream)/.test(type)) {
      throw new Error(`${name} could not be fetched: expected a video, got ${type || 'no type'}.`);
    }
    const expected = lengthOf(response) ?? size;
    if (size !== null && expected !== size) {
      throw new Error(`${name} was made anew meanwhile; download once more.`);
    }
    const reader = response.body.getReader();
    let received = 0;
    for (;;) {
      const { done, value } = await inTime(reader, name).catch(broke);
      if (done) break;
      received += value.length;
      yield value;
    }
    if (expected !== null && received !== expected) {
      throw new Error(
        `${name} came incomplete: ${String(received)} of ${String(expected)} bytes. Try again.`,
      );
    }
  } finally {
    release();
  }
}

let isBucketClosed = false;

/**
 * The API may redirect to a bucket, and a bucket whose CORS rules do not name this page refuses it, in the same words as a broken
 * connection: then the API sends the bytes itself, which it is asked for at once from the next video on.
 */
async function open(url: string, signal: AbortSignal): Promise<Response> {
  const ask = (address: string): Promise<Response> =>
    fetch(address, { headers: authorization(), cache: 'no-store', signal });
  if (!isBucketClosed) {
    const response = await ask(url).catch(() => null);
    if (response !== null && (response.ok || !response.redirected)) return response;
    await response?.body?.cancel();
    signal.throwIfAborted();
  }
  const direct = new URL(url);
  direct.searchParams.set('redirect', 'false');
  const response = await ask(direct.href);
  isBucketClosed = true;
  return response;
}

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

function inTime(reader: Reader, name: string): ReturnType<Reader['read']> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Silent(`${name} could not be fetched: the server has fallen silent.`));
      reader.cancel().catch(() => undefined);
    }, SILENCE);
    reader
      .read()
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
      });
  });
}

class Silent extends Error {}

/** A browser's own words for a broken connection ("Failed to fetch") help less than a sentence. */
const because =
  (message: string, signal: AbortSignal) =>
  (error: unknown): never => {
    signal.throwIfAborted();
    throw error instanceof Silent ? error : new Error(message, { cause: error });
  };

/** What is encoded on the way has another length than the file. */
function lengthOf({ headers }: Response): number | null {
  const length = headers.get('content-length');
  return length === null || headers.has('content-encoding') ? null : Number(length);
}
