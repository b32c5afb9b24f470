/**
 * Requests to the provider and for its files. A span has method, host, the route as a pattern, and the status; it ends with the
 * headers of the answer.
 *
 * TRACED-FETCH-1 No token, query or part of an address that only its owner knows is in a span. Of other hosts than that of
 *    the API the path is left out: its holder can read the file.
 */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { inSpan } from './in-span.js';

/** The parts of a route that are the same for everyone. */
const WORDS = new Set(
  'v1 account collections cancel deployments default files hardware models predictions secret versions webhooks'.split(
    ' ',
  ),
);

export const tracedFetch =
  (base: typeof fetch, tracer: Tracer, provider: string): typeof fetch =>
  (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
    const route = url.origin === provider ? routeOf(url) : null;
    const attributes = {
      'http.request.method': method,
      'server.address': url.hostname,
      ...(url.port === '' ? {} : { 'server.port': Number(url.port) }),
      ...(route === null ? {} : { 'url.template': route }),
    };
    const name = `${method} ${route ?? url.hostname}`;
    return inSpan(tracer, { name, kind: SpanKind.CLIENT, attributes }, async (span) => {
      const response = await base(input, init);
      span?.setAttribute('http.response.status_code', response.status);
      if (response.status >= 400) span?.setStatus({ code: SpanStatusCode.ERROR });
      return response;
    });
  };

const routeOf = ({ pathname }: URL): string =>
  pathname
    .split('/')
    .map((part) => (part === '' || WORDS.has(part) ? part : ':id'))
    .join('/');
