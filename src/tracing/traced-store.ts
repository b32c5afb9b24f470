/** Operations of the store, with the first segment of the key (the rest names jobs and files) and the bytes, where known. */
import { stat } from 'node:fs/promises';
import type { Attributes, Span, Tracer } from '@opentelemetry/api';
import type { ByteRange, Content, ObjectFacts, Store } from '../adapters/storage/store.js';
import { inSpan } from './in-span.js';

export function tracedStore(store: Store, tracer: Tracer): Store {
  const traced = <Result>(
    operation: string,
    key: string,
    work: (span: Span | null) => Promise<Result>,
  ): Promise<Result> => {
    const attributes: Attributes = { 'store.key_prefix': key.split('/')[0] ?? '' };
    return inSpan(tracer, { name: `store ${operation}`, attributes }, work);
  };
  const found = (span: Span | null, facts: ObjectFacts | null, range?: ByteRange): void => {
    span?.setAttribute('store.found', facts !== null);
    if (facts !== null) span?.setAttribute('store.bytes', bytesOf(facts, range));
  };
  return {
    kind: store.kind,
    location: store.location,
    put: (key, content, options) =>
      traced('put', key, async (span) => {
        // Before: a file is gone once it is put.
        if (span !== null) span.setAttributes(await sizeOf(content));
        await store.put(key, content, options);
      }),
    putIfAbsent: (key, content, options) =>
      traced('putIfAbsent', key, async (span) => {
        if (span !== null) span.setAttributes(await sizeOf(content));
        const isPut = await store.putIfAbsent(key, content, options);
        span?.setAttribute('store.put', isPut);
        return isPut;
      }),
    get: (key, range) =>
      traced('get', key, async (span) => {
        const object = await store.get(key, range);
        found(span, object, range);
        return object;
      }),
    head: (key) =>
      traced('head', key, async (span) => {
        const facts = await store.head(key);
        found(span, facts);
        return facts;
      }),
    list: (prefix, options) =>
      traced('list', prefix, async (span) => {
        const page = await store.list(prefix, options);
        span?.setAttribute('store.objects', page.keys.length + page.folders.length);
        return page;
      }),
    delete: (key) => traced('delete', key, () => store.delete(key)),
    url: (key, options) => store.url(key, options),
  };
}

function bytesOf({ bytes }: ObjectFacts, range: ByteRange | undefined): number {
  if (range === undefined) return bytes;
  return Math.max(0, Math.min(range.end, bytes - 1) - range.start + 1);
}

/** A file that cannot be looked at is the put's to tell of. */
async function sizeOf(content: Content): Promise<Attributes> {
  if (typeof content === 'string') return { 'store.bytes': Buffer.byteLength(content) };
  if (content instanceof Uint8Array) return { 'store.bytes': content.byteLength };
  const facts = await stat(content.file).catch(() => null);
  return facts === null ? {} : { 'store.bytes': facts.size };
}
