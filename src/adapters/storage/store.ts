/**
 * The one place for everything that is kept or shared: videos, thumbnails, composites, plans, finished jobs, logs, claims,
 * intents, payloads. A directory and an S3 bucket implement it; processes share nothing else but Temporal.
 *
 * A key is a relative path, `jobs/launch/job.json`: segments of printable ASCII without `/`, none of them `.` or `..`.
 *
 * OBJECT-1 An object is whole or absent, whenever the process that writes it dies.
 * OBJECT-2 Of any number of concurrent `putIfAbsent` of one key, exactly one resolves to true, for ever.
 * OBJECT-3 A read or list that begins after a write resolved has it.
 * OBJECT-4 Memory does not grow with the size of an object that is put as a file, or read.
 */
import type { Readable } from 'node:stream';

export interface Store {
  readonly kind: 'directory' | 'bucket';
  /** For messages: the folder, or `s3://bucket/prefix`. */
  readonly location: string;
  /** Replaces what has the key. */
  put(key: string, content: Content, options?: PutOptions): Promise<void>;
  /** False when the key is taken. */
  putIfAbsent(key: string, content: string, options?: PutOptions): Promise<boolean>;
  /** Null when there is no such object. `range` in bytes, both ends included; beyond the end of the object it is cut. */
  get(key: string, range?: ByteRange): Promise<StoredObject | null>;
  head(key: string): Promise<ObjectFacts | null>;
  /** Objects whose keys start with `prefix`, in the order of their keys (UTF-8 bytes). */
  list(prefix: string, options?: ListOptions): Promise<ObjectPage>;
  /** Resolves as well when there is no such object. */
  delete(key: string): Promise<void>;
  /** An address from which anyone can read the object for a time; null where there is none, as in a directory. */
  url(key: string, options: UrlOptions): Promise<string | null>;
}

/** A `file` is the store's from now on: it is moved or uploaded, and gone once the put has resolved. */
export type Content = string | Uint8Array | { file: string };

export interface PutOptions {
  /** The default is `application/octet-stream`. */
  media_type?: string;
  /** Hex; kept with the object where the store can, and verified by it on arrival. */
  sha256?: string;
  /** It survives a power cut once the put resolves. A bucket always does so. */
  flush?: boolean;
}

export interface ByteRange {
  start: number;
  end: number;
}

export interface ObjectFacts {
  key: string;
  /** Of the whole object. */
  bytes: number;
  /** RFC 3339. */
  modified_at: string;
  /** With its quotation marks; another one for another content. */
  etag: string;
}

export interface StoredObject extends ObjectFacts {
  /** The bytes of the range. Destroy it, or read it to its end. */
  body: Readable;
}

export interface ListOptions {
  /** Of the page before. */
  cursor?: string | null;
  /** Objects and folders of a page: at most 1,000, which is the default. */
  limit?: number;
  /** Only what is directly below the prefix, which ends in `/`; what is further down is told as `folders`. */
  shallow?: boolean;
  /** Only `keys` are wanted: a directory need not look at each file. */
  keys_only?: boolean;
}

export interface ObjectPage {
  keys: string[];
  /** Of the same objects; none where `keys_only`. */
  objects: ObjectFacts[];
  /** Where `shallow`: prefixes that end in `/`. */
  folders: string[];
  /** Null after the last page. */
  cursor: string | null;
}

export interface UrlOptions {
  /** Seconds. */
  expires_in: number;
  /** What the answer's `Content-Type` and `Content-Disposition` say. */
  media_type?: string;
  file_name?: string;
}

/** The store cannot be read or written at the moment, or not with these settings; the message says what to do. */
export class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble';
  /** True when nothing but another setting, or a person, helps: it is not tried again at once. */
  readonly settled: boolean;

  constructor(
    message: string,
    { settled = false, ...options }: ErrorOptions & { settled?: boolean } = {},
  ) {
    super(message, options);
    this.settled = settled;
  }
}

/** The whole object as text; null when there is none. */
export async function readText(store: Store, key: string): Promise<string | null> {
  const bytes = await readBytes(store, key);
  return bytes === null ? null : bytes.toString('utf8');
}

/** The whole object, or the range of it; null when there is none. For what fits into memory. */
export async function readBytes(
  store: Store,
  key: string,
  range?: ByteRange,
): Promise<Buffer | null> {
  const found = await store.get(key, range);
  if (found === null) return null;
  const chunks: Buffer[] = [];
  for await (const chunk of found.body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** All pages of a list. */
export async function* pagesBelow(
  store: Store,
  prefix: string,
  options: Omit<ListOptions, 'cursor'> = {},
): AsyncGenerator<ObjectPage> {
  let cursor: string | null = null;
  do {
    const page: ObjectPage = await store.list(prefix, { ...options, cursor });
    yield page;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Every object below a prefix, page by page. */
export async function* objectsBelow(store: Store, prefix: string): AsyncGenerator<ObjectFacts> {
  for await (const { objects } of pagesBelow(store, prefix)) yield* objects;
}

/** The keys of every object below a prefix, page by page. */
export async function* keysBelow(store: Store, prefix: string): AsyncGenerator<string> {
  for await (const { keys } of pagesBelow(store, prefix, { keys_only: true })) yield* keys;
}
