/** Spans of requests to the provider: which route, of which host, with which status; nothing that opens anything. */
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tracedFetch } from '../../src/tracing/traced-fetch.js';

const API = 'https://api.replicate.com';
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');

beforeAll(() => {
  provider.register();
});
beforeEach(() => {
  exporter.reset();
});

const sent: (RequestInit | undefined)[] = [];
const answering: typeof fetch = (_input, init) => {
  sent.push(init);
  return Promise.resolve(new Response(null, { status: 201 }));
};

async function during(work: (fetching: typeof fetch) => Promise<unknown>, base = answering) {
  const span = tracer.startSpan('activity');
  await context.with(trace.setSpan(context.active(), span), () =>
    work(tracedFetch(base, tracer, API)),
  );
  return exporter.getFinishedSpans().map(({ name, attributes }) => ({ name, ...attributes }));
}

describe('a traced request', () => {
  it.each([
    ['POST', '/v1/predictions', '/v1/predictions'],
    ['GET', '/v1/predictions/gm3qorzdhgbfurvjtvhg6dckhu', '/v1/predictions/:id'],
    ['POST', '/v1/predictions/gm3q/cancel', '/v1/predictions/:id/cancel'],
    ['POST', '/v1/models/kwaivgi/kling/predictions', '/v1/models/:id/:id/predictions'],
    ['GET', '/v1/webhooks/default/secret', '/v1/webhooks/default/secret'],
  ])('%s %s is told by its route', async (method, path, route) => {
    const init = { method, headers: { authorization: 'Bearer r8_secret' } };
    const spans = await during((fetching) => fetching(`${API}${path}?cursor=hidden`, init));
    expect(spans).toEqual([
      {
        name: `${method} ${route}`,
        'http.request.method': method,
        'server.address': 'api.replicate.com',
        'url.template': route,
        'http.response.status_code': 201,
      },
    ]);
    // As it was given: no `traceparent` for the provider.
    expect(sent.at(-1)).toBe(init);
  });

  it('for a file is told by its host alone, for the path opens it', async () => {
    const url = new URL('https://replicate.delivery:8443/xezq/open-sesame/out.mp4?X-Signature=abc');
    expect(await during((fetching) => fetching(url))).toEqual([
      {
        name: 'GET replicate.delivery',
        'http.request.method': 'GET',
        'server.address': 'replicate.delivery',
        'server.port': 8443,
        'http.response.status_code': 201,
      },
    ]);
  });

  it('that fails is told by the type of its error, and fails as it did', async () => {
    const refused = new TypeError('fetch failed for https://user:password@replicate.delivery');
    const [span] = await during(
      (fetching) => expect(fetching('https://replicate.delivery/a')).rejects.toBe(refused),
      () => Promise.reject(refused),
    );
    expect(span).toMatchObject({ 'error.type': 'TypeError' });
    expect(JSON.stringify(span)).not.toContain('password');
  });
});
