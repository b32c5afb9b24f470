/**
 * The text of an HTTP answer up to a length: an answer may be endless, or small and unpack to gigabytes. The bytes are counted
 * as they come, after any decompression, and the connection of a longer answer is closed.
 */

import { orAborted } from './or-aborted.js';

/** An answer is longer than its reader takes. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
  constructor(most: number) {
    super(`expected an answer of at most ${String(most)} bytes, got more`);
  }
}

/** Bytes of an answer in JSON. A video within one, as a `data:` URL, has three quarters of them. */
const MAX_JSON = 32 * 2 ** 20;
/** Milliseconds for which an answer is read where the caller gives no signal. */
const TIMEOUT = 60_000;

/**
 * Rejects with TooLong, with the error that broke the answer off, or with the signal's reason: the signal of the request alone does
 * not end a body of Node's fetch that says it is gzip, is not, and came in two pieces.
 */
export async function boundedText(
  response: Response,
  { most = MAX_JSON, signal }: { most?: number; signal?: AbortSignal | null | undefined } = {},
): Promise<string> {
  if (response.body === null) return '';
  const body: ReadableStream<Uint8Array> = response.body;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  const end = signal ?? AbortSignal.timeout(TIMEOUT);
  for (let size = 0; ;) {
    const { done, value } = await orAborted(reader.read(), end);
    if (done) break;
    size += value.byteLength;
    if (size > most) {
      // Not awaited: the cancellation of an endless answer may take for ever.
      void reader.cancel().catch(() => undefined);
      throw new TooLong(most);
    }
    parts.push(decoder.decode(value, { stream: true }));
  }
  return parts.join('') + decoder.decode();
}

/** As boundedText, parsed; rejects with a SyntaxError for a text that is not JSON. */
export async function boundedJson(
  ...[response, limits]: Parameters<typeof boundedText>
): Promise<unknown> {
  return JSON.parse(await boundedText(response, limits));
}
