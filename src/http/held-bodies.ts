/**
 * How many bytes of bodies a server holds at the same time, whatever they announce.
 *
 * H1 bytes count as they come, and until their request is answered or its connection closed.
 */
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';

export class HeldBodies {
  readonly #most: number;
  readonly #refusal: () => Error;
  #held = 0;

  /** `most` bytes; the body that would go beyond ends with the refusal. */
  constructor(most: number, refusal: () => Error) {
    this.#most = most;
    this.#refusal = refusal;
  }

  /** The same body, counted. */
  count(body: Readable, answer: Pick<ServerResponse, 'once'>): Readable {
    let mine = 0;
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (this.#held + chunk.length > this.#most) {
          done(this.#refusal());
          return;
        }
        mine += chunk.length;
        this.#held += chunk.length;
        done(null, chunk);
      },
    });
    answer.once('close', () => {
      this.#held -= mine; // H1
      mine = 0;
      counted.destroy();
    });
    body.on('error', (error) => counted.destroy(error));
    return body.pipe(counted);
  }
}
