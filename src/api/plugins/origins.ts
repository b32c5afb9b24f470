/**
 * Cross-origin requests (CORS) of the routes that name the origins of the pages that may call them. Set before a request is
 * admitted, so that such a page can read a refusal too.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Origins of pages, besides this server's own, that may ask for it. */
    origins?: readonly string[];
  }
}

export const isNamedOrigin = ({ headers: { origin }, routeOptions }: FastifyRequest): boolean =>
  origin !== undefined && routeOptions.config.origins?.includes(origin) === true;

/** Called before `guard`. */
export function answerOrigins(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.origins === undefined) return;
    reply.header('vary', 'origin');
    if (!isNamedOrigin(request)) return;
    reply.headers({
      'access-control-allow-origin': request.headers.origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type, x-namespace',
      'access-control-max-age': '600',
    });
  });
}
