/**
 * Copies a store into another, so that jobs go on there. It may be killed at any point and run again: what is there already is
 * compared, not sent.
 *
 * COPY-1 The identity comes first: TO is this store from now on, or already another one's, which is refused. Then claims and creates,
 *    then what jobs refer to, then the jobs, then their index: a job that is seen is whole.
 * COPY-2 An object counts as copied when TO, read back, has the hash that was computed while FROM was read.
 * COPY-3 What only one process may make (claims, intents, segments) and payloads are never overwritten. Of everything else the
 *    later written counts: FROM's replaces an older one; a later one in TO stays, and is told.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { scratchFile } from '../adapters/storage/scratch-files.js';
import { STORE_FOLDERS } from '../adapters/storage/store-keys.js';
import { objectsBelow, readBytes, readText } from '../adapters/storage/store.js';
import type { ObjectFacts, Store } from '../adapters/storage/store.js';
import { CLIP_FILES } from '../domain/job/clip-files.js';
import { UserError } from './process.js';

interface Copying {
  from: Store;
  to: Store;
  /** A folder of this machine for what is too large for memory. */
  scratch: string;
  /** Compares what is there, and writes nothing. */
  dry_run: boolean;
  /** After each object. */
  onProgress?: (copied: Copied, key: string) => void;
}

interface Amount {
  objects: number;
  bytes: number;
}

export interface Copied {
  copied: Amount;
  /** Was in TO already, with the same hash. */
  there: Amount;
  differences: { key: string; reason: string }[];
}

type FolderName = (typeof STORE_FOLDERS)[number];

/** COPY-1 */
const ORDER: Readonly<Record<FolderName, number>> = {
  claims: 0,
  creates: 1,
  payloads: 2,
  artifacts: 3,
  jobs: 4,
  index: 5,
  wakes: 6,
};
const AT_A_TIME = 8;
/** Bytes up to which an object is held in memory. */
const SMALL = 1 << 20;

export async function copyStore(copying: Copying): Promise<Copied> {
  const copied: Copied = {
    copied: { objects: 0, bytes: 0 },
    there: { objects: 0, bytes: 0 },
    differences: [],
  };
  const one = async (object: ObjectFacts): Promise<void> => {
    const result = await copyObject(copying, object);
    if (typeof result === 'object') copied.differences.push(result);
    else add(copied[result], object.bytes);
    copying.onProgress?.(copied, object.key);
  };
  await bringIdentity(copying);
  if (!copying.dry_run) await mkdir(copying.scratch, { recursive: true });
  const folders = [...STORE_FOLDERS].sort((a, b) => ORDER[a] - ORDER[b]);
  for (const folder of folders) {
    for await (const chunk of chunksOf(objectsBelow(copying.from, `${folder}/`))) {
      await pLimit(AT_A_TIME).map(chunk, one);
    }
  }
  return copied;
}

const add = (amount: Amount, bytes: number): void => {
  amount.objects += 1;
  amount.bytes += bytes;
};

const CHUNK = 1_000;

async function* chunksOf<T>(all: AsyncIterable<T>): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  for await (const one of all) {
    chunk.push(one);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}

/** COPY-1 */
async function bringIdentity({ from, to, dry_run }: Copying): Promise<void> {
  const own = await readText(from, 'identity');
  const other = await readText(to, 'identity');
  if (own === null && (await isEmpty(from))) {
    throw new UserError(`expected a store in ${from.location}, found nothing; check the place.`);
  }
  if (other !== null && other.trim() !== own?.trim() && !(await isEmpty(to))) {
    throw new UserError(
      `expected ${to.location} to be empty or a copy of ${from.location}, found the jobs of another store; choose another place.`,
    );
  }
  if (dry_run) return;
  if (own !== null) await to.put('identity', own, { flush: true });
  // Pages of lists go on where they were. Nothing rests on it: a key that TO has made for itself stays.
  const cursorKey = await readText(from, 'cursor.key');
  if (cursorKey !== null) await to.putIfAbsent('cursor.key', cursorKey, { flush: true });
}

async function isEmpty(store: Store): Promise<boolean> {
  for (const folder of STORE_FOLDERS) {
    const { keys } = await store.list(`${folder}/`, { limit: 1, keys_only: true });
    if (keys.length > 0) return false;
  }
  return true;
}

type Difference = Copied['differences'][number];

async function copyObject(
  copying: Copying,
  object: ObjectFacts,
): Promise<'copied' | 'there' | Difference> {
  const { from, to, dry_run } = copying;
  const { key } = object;
  const difference = (reason: string): Difference => ({ key, reason });
  const found = await to.head(key);
  if (found !== null) {
    const same = found.bytes === object.bytes ? await sharedHash(from, to, key) : null;
    if (same !== null) return (await isWhole(from, key, same)) ? 'there' : difference(DAMAGED);
    if (isMadeOnce(key)) return difference(`${to.location} has another one, which stays`);
    if (found.modified_at >= object.modified_at)
      return difference(`${to.location} has another, later one, which stays`);
  }
  if (dry_run) return 'copied';
  await using read = await readObject(copying, object);
  if (read === null) return difference('it was deleted while it was copied');
  const written = await write(to, key, read);
  const arrived = written ? await hashIn(to, key) : null;
  if (arrived !== read.sha256)
    return difference(
      written
        ? `${to.location} has other bytes than were sent`
        : `${to.location} has another one, which stays`,
    );
  return (await isWhole(from, key, read.sha256)) ? 'copied' : difference(DAMAGED);
}

const DAMAGED =
  'its bytes are not those whose hash was noted when it was stored; it is copied as it is';

/** COPY-3 */
const isMadeOnce = (key: string): boolean =>
  /^(?:claims|payloads|index\/segments)\//.test(key) ||
  (key.startsWith('creates/') && !key.endsWith('.answer'));

interface ReadObject extends AsyncDisposable {
  content: Buffer | { file: string };
  sha256: string;
}

/** Null when it was deleted meanwhile. */
async function readObject(
  { from, scratch }: Copying,
  { key, bytes }: ObjectFacts,
): Promise<ReadObject | null> {
  if (bytes <= SMALL) {
    const content = await readBytes(from, key);
    const nothing = (): Promise<void> => Promise.resolve();
    return content === null
      ? null
      : { content, sha256: hashOf(content), [Symbol.asyncDispose]: nothing };
  }
  const found = await from.get(key);
  if (found === null) return null;
  const file = scratchFile(scratch);
  const remove = (): Promise<void> => rm(file, { force: true });
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(found.body, hashing, createWriteStream(file));
  } catch (error) {
    await remove();
    throw error;
  }
  return { content: { file }, sha256: hash.digest('hex'), [Symbol.asyncDispose]: remove };
}

/** False when another process has made it meanwhile. */
async function write(to: Store, key: string, { content, sha256 }: ReadObject): Promise<boolean> {
  const options = { media_type: mediaTypeOf(key), sha256, flush: true };
  const isText = isMadeOnce(key) && !key.startsWith('payloads/');
  if (isText && Buffer.isBuffer(content))
    return to.putIfAbsent(key, content.toString('utf8'), options);
  await to.put(key, content, options);
  return true;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  mp4: CLIP_FILES.video.media_type,
  jpg: CLIP_FILES.thumbnail.media_type,
  json: CLIP_FILES.facts.media_type,
  jsonl: 'application/jsonl',
};
const mediaTypeOf = (key: string): string =>
  MEDIA_TYPES[key.slice(key.lastIndexOf('.') + 1)] ?? 'application/octet-stream';

/** Null when the two differ. */
async function sharedHash(from: Store, to: Store, key: string): Promise<string | null> {
  const [own, other] = await Promise.all([hashIn(from, key), hashIn(to, key)]);
  return own === other ? own : null;
}

async function hashIn(store: Store, key: string): Promise<string | null> {
  const found = await store.get(key);
  if (found === null) return null;
  const hash = createHash('sha256');
  for await (const chunk of found.body) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Some objects have had their hash noted: payloads in their names, videos in their facts. */
async function isWhole(from: Store, key: string, sha256: string): Promise<boolean> {
  const noted = await notedHash(from, key);
  return noted === null || noted === sha256;
}

async function notedHash(from: Store, key: string): Promise<string | null> {
  const payload = /^payloads\/..\/([0-9a-f]{64})$/.exec(key)?.[1];
  if (payload !== undefined) return payload;
  if (!key.startsWith('artifacts/') || !key.endsWith('.mp4')) return null;
  const facts = await readText(from, key.replace(/mp4$/, CLIP_FILES.facts.extension));
  try {
    const { sha256 } = JSON.parse(facts ?? '{}') as { sha256?: unknown };
    return typeof sha256 === 'string' ? sha256 : null;
  } catch {
    return null;
  }
}
