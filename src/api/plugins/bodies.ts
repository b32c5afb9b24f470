/**
 * What bodies are: JSON and nothing else, of a size that fits their route, and in all no more than is allowed to be
 * held at the same time.
 *
 * B1 a body that is let wait is text: it is parsed by the route, in its turn (`jsonOf`).
 * B2 bytes count as they come and until their request is answered or its connection closed; announced ones do not.
 */
import { Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import type { Limits } from '../limits.js';
import { HttpProblem, unavailable } from '../problems.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** B1 */
    parsesItself?: boolean;
    /** Bodies of this kind are counted together. */
    holds?: keyof Limits['held'];
  }
}

export type JsonOf = (text: unknown) => Promise<unknown>;

/** An act without a body may still say that it is JSON. */
export function readBodies(app: FastifyInstance, held: Limits['held']): JsonOf {
  const parse = app.getDefaultJsonParser('error', 'error');
  const jsonOf: JsonOf = (text) =>
    new Promise((resolve, reject) => {
      if (typeof text !== 'string' || text.trim() === '') {
        resolve(undefined);
        return;
      }
      // Its first argument is not used.
      void parse(undefined as never, text, (error: Error | null, value?: unknown) => {
        if (error === null) resolve(value);
        else reject(notJson(error));
      });
    });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (request: FastifyRequest, body: string) =>
      request.routeOptions.config.parsesItself === true ? body : jsonOf(body),
  );
  const holders = { plans: new Holder(held.plans), webhooks: new Holder(held.webhooks) };
  app.addHook('preParsing', async (request, reply, payload) => {
    const { holds } = request.routeOptions.config;
    return holds === undefined ? payload : holders[holds].count(payload, reply);
  });
  return jsonOf;
}

const notJson = ({ message }: Error): HttpProblem =>
  new HttpProblem(400, `expected a body that is JSON: ${message}`, {
    errors: [{ path: '', message: 'expected JSON' }],
  });

/** B2 */
class Holder {
  #held = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  count(payload: RequestPayload, { raw }: FastifyReply): RequestPayload {
    let mine = 0;
    raw.once('close', () => {
      this.#held -= mine;
      mine = 0;
      counted.destroy();
    });
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (this.#held + chunk.length > this.#most) {
          done(unavailable('too many large bodies are coming in; ask again soon'));
          return;
        }
        mine += chunk.length;
        this.#held += chunk.length;
        done(null, chunk);
      },
    });
    payload.on('error', (error) => counted.destroy(error));
    return payload.pipe(counted);
  }
}
