/** Spans of the store: what was done below which prefix, with how many bytes; and only for work that is still going on. */
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ObjectFacts, Store } from '../../src/adapters/storage/store.js';
import { StoreTrouble } from '../../src/adapters/storage/store.js';
import { tracedStore } from '../../src/tracing/traced-store.js';
import { testFolder } from '../support/test-folder.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');

beforeAll(() => {
  provider.register();
});
beforeEach(() => {
  exporter.reset();
});

const facts: ObjectFacts = { key: 'k', bytes: 1_000, modified_at: '', etag: '"1"' };
const store: Store = {
  kind: 'directory',
  location: 'memory',
  put: () => Promise.resolve(),
  putIfAbsent: () => Promise.resolve(false),
  get: (key) => Promise.resolve(key === 'jobs/none' ? null : { ...facts, body: Readable.from([]) }),
  head: () => Promise.resolve(facts),
  list: () =>
    Promise.resolve({ keys: ['jobs/b'], objects: [facts], folders: ['jobs/a/'], cursor: null }),
  delete: () => Promise.reject(new StoreTrouble('no access to jobs/of-someone', { settled: true })),
  url: () => Promise.resolve(null),
};

const spans = (): unknown[] =>
  exporter
    .getFinishedSpans()
    .filter(({ name }) => name !== 'request')
    .map(({ name, attributes }) => [name, attributes]);

async function during(work: (store: Store) => Promise<unknown>): Promise<void> {
  const span = tracer.startSpan('request');
  await context.with(trace.setSpan(context.active(), span), () => work(tracedStore(store, tracer)));
  span.end();
}

describe('a traced store', () => {
  it('tells what was done below which prefix, with how many bytes', async () => {
    const { path: folder, remove } = testFolder('traced');
    onTestFinished(remove);
    const file = path.join(folder, 'video');
    writeFileSync(file, 'twelve bytes');
    await during(async (traced) => {
      await traced.put('artifacts/launch/clip_000.mp4', { file });
      await traced.put('jobs/launch/job.json', 'é');
      await traced.putIfAbsent('claims/gm3q', 'mine');
      await traced.get('jobs/none');
      await traced.get('artifacts/launch/clip_000.mp4', { start: 990, end: 2_000 });
      await traced.head('jobs/launch/plan.json');
      await traced.list('jobs/');
    });
    expect(spans()).toEqual([
      ['store put', { 'store.key_prefix': 'artifacts', 'store.bytes': 12 }],
      ['store put', { 'store.key_prefix': 'jobs', 'store.bytes': 2 }],
      ['store putIfAbsent', { 'store.key_prefix': 'claims', 'store.bytes': 4, 'store.put': false }],
      ['store get', { 'store.key_prefix': 'jobs', 'store.found': false }],
      ['store get', { 'store.key_prefix': 'artifacts', 'store.found': true, 'store.bytes': 10 }],
      ['store head', { 'store.key_prefix': 'jobs', 'store.found': true, 'store.bytes': 1_000 }],
      ['store list', { 'store.key_prefix': 'jobs', 'store.objects': 2 }],
    ]);
  });

  it('tells that an operation failed, by the type of its error, and fails as it did', async () => {
    await during((traced) => expect(traced.delete('jobs/a')).rejects.toThrow(StoreTrouble));
    expect(spans()).toEqual([
      ['store delete', { 'store.key_prefix': 'jobs', 'error.type': 'StoreTrouble' }],
    ]);
  });

  it('makes no span for what outlives the request that began it, nor outside of one', async () => {
    let later = (): Promise<unknown> => Promise.resolve();
    await during(async (traced) => {
      later = context.bind(context.active(), () => traced.head('jobs/a'));
    });
    await later();
    await tracedStore(store, tracer).head('jobs/a');
    expect(spans()).toEqual([]);
  });
});
