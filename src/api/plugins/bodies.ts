/**
 * What bodies are: JSON and nothing else, of a size that fits their route, and in all no more than is allowed to be
 * held at the same time.
 *
 * B1 a body that is let wait is text: it is parsed by the route, in its turn (`jsonOf`).
 * B2 bytes count as they come and until their request is answered or its connection closed; announced ones do not.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HeldBodies } from '../../http/held-bodies.js';
import type { Limits } from '../load/limits.js';
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
  // A field `__proto__` is a field like others here; the check of a plan refuses it in the words of every other door.
  const parse = app.getDefaultJsonParser('ignore', 'ignore');
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
  const bodies = { plans: holder(held.plans), webhooks: holder(held.webhooks) };
  app.addHook('preParsing', async (request, { raw }, payload) => {
    const { holds } = request.routeOptions.config;
    return holds === undefined ? payload : bodies[holds].count(payload, raw);
  });
  return jsonOf;
}

const notJson = ({ message }: Error): HttpProblem =>
  new HttpProblem(400, `expected a body that is JSON: ${message}`, {
    errors: [{ path: '', message: 'expected JSON' }],
  });

const holder = (most: number): HeldBodies =>
  new HeldBodies(most, () => unavailable('too many large bodies are coming in; ask again soon'));
