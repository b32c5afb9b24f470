/**
 * Requests of the API under `/v1/` and of webhooks, by method and pattern of the route; with `traceparent`, as a part of the
 * caller's trace. Queries, bodies and headers are in no span.
 *
 * TRACED-REQUESTS-1 Event streams have no span: one lasts as long as its reader, and reconnects. Nor have probes, metrics and
 *    files of the page.
 */
import {
  context,
  defaultTextMapGetter,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** TRACED-REQUESTS-1 */
    untraced?: boolean;
  }
}

export function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', async (request) => {
    const { method, params, routeOptions } = request;
    const { url: route = '', config } = routeOptions;
    if (config.untraced === true || !/^\/(?:v1|webhooks)\//.test(route)) return;
    const { job_id } = params as { job_id?: string };
    const attributes = { 'http.request.method': method, 'http.route': route, job_id };
    const span = tracer.startSpan(
      `${method} ${route}`,
      { kind: SpanKind.SERVER, attributes },
      contextOf(request),
    );
    spans.set(request, span);
    request.log = request.log.child({ trace_id: span.spanContext().traceId });
  });
  // Not before the body was read: its events come in the context of the connection.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else context.with(trace.setSpan(ROOT_CONTEXT, span), done);
  });
  app.addHook('onResponse', async (request, { statusCode }) => {
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', statusCode);
    if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  });
}

/** Of the caller's headers those of the trace alone. */
function contextOf({ headers: { traceparent, tracestate } }: FastifyRequest) {
  const carrier = { traceparent, tracestate };
  return propagation.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}
