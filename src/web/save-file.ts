/**
 * Where a large file goes while it comes. A browser that may write to the disk itself (Chrome and Edge, https or loopback)
 * asks where, and writes as it comes; the file appears when it is whole. Any other one collects pieces in a Blob, which it
 * keeps outside of the page, on disk when it chooses to, and hands to its downloads when it is whole.
 *
 * SAVE-1 a file that did not come whole leaves nothing that looks like it.
 */
import { h } from './dom.js';

export interface Destination {
  /** Bytes it can take; null when only the disk limits it. */
  limit: number | null;
  /** Resolves when the file is whole in its place. */
  write(stream: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): Promise<void>;
  /** It is not needed after all. */
  discard(): Promise<void>;
}

/** More than this many bytes is not asked of a Blob: some browsers keep all of it in memory. */
const BLOB_LIMIT = 4 * 1024 ** 3;
const PIECE = 16 * 1024 ** 2;

/** TypeScript does not know these: only one family of browsers has them. */
interface SavedFile extends FileSystemFileHandle {
  remove?(): Promise<void>;
}
type Picker = (options: { suggestedName: string; types: unknown[] }) => Promise<SavedFile>;

/** Called in a click. Null: the person changed their mind. */
export async function chooseDestination(name: string): Promise<Destination | null> {
  const pick = (window as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (pick === undefined) return blobFor(name);
  const asked = performance.now();
  try {
    const types = [{ description: 'Zip archive', accept: { 'application/zip': ['.zip'] } }];
    return fileOf(await pick.call(window, { suggestedName: name, types }));
  } catch (error) {
    const dismissed = error instanceof DOMException && error.name === 'AbortError';
    return dismissed && performance.now() - asked > TOO_QUICK ? null : blobFor(name);
  }
}

/** A dialog that is gone sooner was never shown: there is no desktop to show it on, or a policy forbids it. */
const TOO_QUICK = 250;

function fileOf(file: SavedFile): Destination {
  /** Choosing a file has emptied it. */
  const discard = async (): Promise<void> => {
    const { size } = await file.getFile();
    if (size === 0) await file.remove?.();
  };
  return {
    limit: null,
    discard,
    async write(stream, signal) {
      try {
        // The browser writes another file, and puts it in place when it is closed; aborted, it throws that away.
        await stream.pipeTo(await file.createWritable(), { signal });
      } catch (error) {
        await discard().catch(() => undefined); // SAVE-1
        throw error;
      }
    },
  };
}

function blobFor(name: string): Destination {
  return {
    limit: BLOB_LIMIT,
    discard: () => Promise.resolve(),
    async write(stream, signal) {
      const blob = await collect(stream, 'application/zip', signal);
      const url = URL.createObjectURL(blob);
      h('a', { href: url, download: name }).click();
      // The browser has taken the file over long before a minute is gone.
      setTimeout(() => {
        URL.revokeObjectURL(url);
      }, 60_000);
    },
  };
}

/** A Blob of pieces that have left the page's own memory, each as soon as it is full. */
export async function collect(
  bytes: AsyncIterable<Uint8Array<ArrayBuffer>> | ReadableStream<Uint8Array<ArrayBuffer>>,
  type: string,
  signal: AbortSignal,
): Promise<Blob> {
  const pieces: Blob[] = [];
  let open: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let total = 0;
  for await (const chunk of bytes instanceof ReadableStream ? chunksOf(bytes) : bytes) {
    signal.throwIfAborted();
    open.push(chunk);
    size += chunk.length;
    total += chunk.length;
    if (total > BLOB_LIMIT) throw new Error('This is more than the browser can keep in one piece.');
    if (size < PIECE) continue;
    pieces.push(new Blob(open));
    [open, size] = [[], 0];
  }
  signal.throwIfAborted();
  return new Blob([...pieces, ...open], { type });
}

/** Not every browser iterates over a stream. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
