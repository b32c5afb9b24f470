/**
 * Bodies are JSON, of the size that their route takes, and together no larger than what may be held at the same time.
 *
 * BODY-1 a body that waits is a text: its route parses it in its turn (`jsonOf`).
 * BODY-2 bytes count from when they come until their request is answered or its connection closed; announced bytes do not count.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HeldBodies } from '../../http/held-bodies.js';
import type { Limits } from '../load/limits.js';
import { HttpProblem, unavailable } from '../problems.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** BODY-1 */
    parsesItself?: boolean;
    /** Bodies of this kind are counted together. */
    holds?: keyof Limits['held'];
  }
}

export type JsonOf = (text: unknown) => Promise<unknown>;

/** A request without a body may still have the content type of JSON. */
export function readBodies(app: FastifyInstance, held: Limits['held']): JsonOf {
  // `__proto__` is a field like others here: the check of a plan refuses it, with the same message for HTTP, CLI and terminal.
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

const holder = (maxBytes: number): HeldBodies =>
  new HeldBodies(maxBytes, () =>
    unavailable('too many large bodies are coming in; ask again soon'),
  );
