/**
 * The text of an HTTP answer, of a bounded length: an answer may be endless, or small and unpack to gigabytes. What was read
 * is counted as it comes, after any decompression, and the connection of a longer one is closed.
 */

/** An answer is longer than its reader takes. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
  constructor(most: number) {
    super(`expected an answer of at most ${String(most)} bytes, got more`);
  }
}

/** Bytes of an answer in JSON. A video within one, as a `data:` URL, has three quarters of them. */
export const MOST_JSON = 32 * 2 ** 20;

/** Rejects with TooLong, or with what broke the answer off. */
export async function boundedText(response: Response, most = MOST_JSON): Promise<string> {
  if (response.body === null) return '';
  const body: ReadableStream<Uint8Array> = response.body;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for (let size = 0; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > most) {
      // Not awaited: a peer that never ends must not hold its reader.
      void reader.cancel().catch(() => undefined);
      throw new TooLong(most);
    }
    parts.push(decoder.decode(value, { stream: true }));
  }
  return parts.join('') + decoder.decode();
}

/** As boundedText, parsed; what is no JSON rejects with a SyntaxError. */
export async function boundedJson(response: Response, most = MOST_JSON): Promise<unknown> {
  return JSON.parse(await boundedText(response, most));
}
