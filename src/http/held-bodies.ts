/**
 * A limit to the bytes of request bodies that a server holds in memory at the same time.
 *
 * BODIES-1 Bytes count as they come, whatever the body announces, until its request is answered or its connection closed.
 */
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';

export class HeldBodies {
  readonly #maxBytes: number;
  readonly #refusal: () => Error;
  #held = 0;

  /** A body that would exceed the limit ends with the refusal. */
  constructor(maxBytes: number, refusal: () => Error) {
    this.#maxBytes = maxBytes;
    this.#refusal = refusal;
  }

  /** The same body, counted. */
  count(body: Readable, answer: Pick<ServerResponse, 'once'>): Readable {
    let bytes = 0;
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (this.#held + chunk.length > this.#maxBytes) {
          done(this.#refusal());
          return;
        }
        bytes += chunk.length;
        this.#held += chunk.length;
        done(null, chunk);
      },
    });
    answer.once('close', () => {
      this.#held -= bytes; // BODIES-1
      bytes = 0;
      counted.destroy();
    });
    body.on('error', (error) => counted.destroy(error));
    return body.pipe(counted);
  }
}
