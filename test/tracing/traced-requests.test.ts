/** Spans of requests to the API: by route, in the caller's trace; streams, probes and refused paths have none. */
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import Fastify from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { traceRequests } from '../../src/tracing/traced-requests.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
const tracer = provider.getTracer('test');

beforeEach(() => {
  exporter.reset();
});

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;

function served() {
  const app = Fastify();
  traceRequests(app, tracer);
  const traceOf = async () => ({
    trace_id: trace.getSpan(context.active())?.spanContext().traceId ?? null,
  });
  app.post('/v1/jobs', traceOf);
  app.get('/v1/jobs/:job_id', traceOf);
  app.get('/v1/jobs/:job_id/events', { config: { untraced: true } }, traceOf);
  app.get('/v1/broken', async () => {
    throw new Error('of a secret prompt');
  });
  app.get('/healthz', traceOf);
  return app;
}

const spans = () =>
  exporter.getFinishedSpans().map(({ name, attributes, parentSpanId, status, events }) => ({
    ...{ name, attributes, parent: parentSpanId ?? null, code: status.code, events },
  }));

describe('a traced API', () => {
  it("answers with a body within a span of the caller's trace, without query and body", async () => {
    const answer = await served().inject({
      ...{ method: 'POST', url: '/v1/jobs?api_key=hidden', payload: { prompt: 'hidden' } },
      headers: { traceparent, baggage: 'user=hidden' },
    });
    expect(answer.json()).toEqual({ trace_id: TRACE_ID });
    expect(spans()).toEqual([
      {
        name: 'POST /v1/jobs',
        parent: 'b7ad6b7169203331',
        attributes: {
          'http.request.method': 'POST',
          'http.route': '/v1/jobs',
          'http.response.status_code': 200,
        },
        ...{ code: 0, events: [] },
      },
    ]);
  });

  it('begins a trace where the caller has none, or sends something else', async () => {
    const app = served();
    await app.inject({ url: '/v1/jobs/launch' });
    await app.inject({ url: '/v1/jobs/launch', headers: { traceparent: 'x'.repeat(9_000) } });
    expect(spans()).toMatchObject([
      { name: 'GET /v1/jobs/:job_id', parent: null, attributes: { job_id: 'launch' } },
      { name: 'GET /v1/jobs/:job_id', parent: null, attributes: { job_id: 'launch' } },
    ]);
  });

  it('has no span for streams, probes and paths that are not there', async () => {
    const app = served();
    for (const url of ['/v1/jobs/launch/events', '/healthz', '/v1/none', '/wp-login.php']) {
      await app.inject({ url, headers: { traceparent } });
    }
    expect(spans()).toEqual([]);
  });

  it('tells of a failure by its status alone', async () => {
    await served().inject({ url: '/v1/broken' });
    expect(spans()).toMatchObject([
      { attributes: { 'http.response.status_code': 500 }, code: 2, events: [] },
    ]);
  });
});
