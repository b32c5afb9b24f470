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
export const MAX_JSON = 32 * 2 ** 20;
/** Milliseconds for which an answer is read where no signal says otherwise. */
const LONGEST = 60_000;

/**
 * Rejects with TooLong, with what broke the answer off, or with the reason of the signal: the signal of the request alone does
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
  const end = abortOf(signal ?? AbortSignal.timeout(LONGEST));
  try {
    for (let size = 0; ;) {
      const { done, value } = await Promise.race([reader.read(), end.aborted]);
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
  } finally {
    end.forget();
  }
}

/** As boundedText, parsed; what is no JSON rejects with a SyntaxError. */
export async function boundedJson(
  ...[response, limits]: Parameters<typeof boundedText>
): Promise<unknown> {
  return JSON.parse(await boundedText(response, limits));
}

/** A promise that rejects when the signal is aborted, until it is forgotten. (`using` needs a newer browser.) */
function abortOf(signal: AbortSignal): { aborted: Promise<never>; forget: () => void } {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
  });
  // Of those that nothing waits for any more.
  aborted.catch(() => undefined);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return {
    aborted,
    forget() {
      signal.removeEventListener('abort', abort);
    },
  };
}
