/**
 * The store as a directory: a key is a path below it, an object a file. A file is written under a temporary name (`.part`) and
 * renamed, or linked where the name may be taken; scratch-files.ts removes those that a killed process left.
 */
import { createReadStream } from 'node:fs';
import { randomUUID } from 'node:crypto';
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { checkedKey } from './store-keys.js';
import type {
  ByteRange,
  Content,
  ListOptions,
  ObjectFacts,
  ObjectPage,
  PutOptions,
  Store,
  StoredObject,
} from './store.js';

/** Errors of link(2) where the file system has no hard links, or does not let this user make them. */
const NO_LINKS = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
  'EACCES',
]);
/** Errors of link(2) and rename(2) where the name is taken, by a file or by a folder. */
const NAME_TAKEN = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR']);
const ABSENT = new Set(['ENOENT', 'ENOTDIR']);
const NO_FLUSH = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS']);
/** The end of temporary names, which are no keys. */
const TEMPORARY = /\.part$|^\.probe-/;
/** Of the file in a folder that stands for an object: names on disk are never changed. */
const WHOLE = 'whole';
const MAX_PAGE = 1_000;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

const unlessAbsent = <T>(work: Promise<T>): Promise<T | null> =>
  work.catch((error: unknown) => {
    if (ABSENT.has(codeOf(error))) return null;
    throw error;
  });

/** `hardLink` is link(2), for tests. */
export function createDirectoryStore(
  folder: string,
  { hardLink = link }: { hardLink?: typeof link } = {},
): Store {
  const root = path.resolve(folder);
  const fileOf = (key: string): string => path.join(root, checkedKey(key));

  return {
    kind: 'directory',
    location: folder,

    async put(key, content, options = {}) {
      const target = fileOf(key);
      await inFolderOf(target, () => replace(target, content, options));
      if (options.flush) await flushFolder(path.dirname(target));
    },

    async putIfAbsent(key, content, { flush = false } = {}) {
      const target = fileOf(key);
      const isCreated = await inFolderOf(target, () =>
        createOnce(target, content, { flush, hardLink }),
      );
      if (flush) await flushFolder(path.dirname(target));
      return isCreated;
    },

    get: async (key, range) => read(fileOf(key), key, range),

    async head(key) {
      return (await locate(fileOf(key), key))?.facts ?? null;
    },

    list: (prefix, options) => listBelow(root, prefix, options),

    async delete(key) {
      const file = fileOf(key);
      const found = await locate(file, key);
      if (found === null) return;
      await rm(found.file, { force: true });
      await removeEmptyFolders(root, path.dirname(found.file));
    },

    url: () => Promise.resolve(null),
  };
}

const MAX_TRIES = 5;

/** Another process may remove the folder, which was empty, between its making and its use. */
async function inFolderOf<T>(file: string, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    await mkdir(path.dirname(file), { recursive: true });
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries === MAX_TRIES) throw error;
    }
  }
}

async function replace(target: string, content: Content, options: PutOptions): Promise<void> {
  const temporary = temporaryName(target);
  try {
    await write(temporary, content, options);
    await rename(temporary, target).catch(async (error: unknown) => {
      // A folder that stands for an object is there (`createOnce`): the new content goes into it.
      if (codeOf(error) !== 'EISDIR') throw error;
      await rename(temporary, path.join(target, WHOLE));
    });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Unique over all machines that share the folder: in containers all processes may have the same id. */
const temporaryName = (target: string): string => `${target}.${randomUUID()}.part`;

async function write(target: string, content: Content, options: PutOptions): Promise<void> {
  if (typeof content === 'string' || content instanceof Uint8Array) {
    await (options.flush ? writeFlushed(target, content) : writeFile(target, content));
    return;
  }
  await rename(content.file, target).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EXDEV') throw error; // the scratch folder is on another file system
    await copyFile(content.file, target);
    await rm(content.file, { force: true });
  });
  if (options.flush) await flushFile(target);
}

async function writeFlushed(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flushFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's name is part of its folder. Some systems cannot flush a folder. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(unlessUnsupported);
  try {
    await handle?.sync().catch(unlessUnsupported);
  } finally {
    await handle?.close();
  }
}
const unlessUnsupported = (error: unknown): undefined => {
  if (!NO_FLUSH.has(codeOf(error))) throw error;
};

/**
 * Without hard links, a folder with the file in it gets the name: a rename onto a folder that is not empty fails, as do a link
 * onto a folder and a rename of a folder onto a file.
 */
async function createOnce(
  target: string,
  content: string,
  { flush, hardLink }: { flush: boolean; hardLink: typeof link },
): Promise<boolean> {
  const temporary = temporaryName(target);
  const write = flush ? writeFlushed : writeFile;
  try {
    await write(temporary, content);
    try {
      return await unlessTaken(hardLink(temporary, target));
    } catch (error) {
      if (!NO_LINKS.has(codeOf(error))) throw error;
    }
    await rm(temporary);
    await mkdir(temporary);
    await write(path.join(temporary, WHOLE), content);
    return await unlessTaken(rename(temporary, target));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const unlessTaken = (naming: Promise<void>): Promise<boolean> =>
  naming.then(
    () => true,
    (error: unknown) => {
      if (NAME_TAKEN.has(codeOf(error))) return false;
      throw error;
    },
  );

interface Located {
  file: string;
  facts: ObjectFacts;
}

async function locate(file: string, key: string): Promise<Located | null> {
  const found = await unlessAbsent(stat(file));
  if (found === null) return null;
  if (found.isFile()) return { file, facts: factsOf(key, found) };
  const inside = path.join(file, WHOLE);
  const whole = await unlessAbsent(stat(inside));
  return whole === null ? null : { file: inside, facts: factsOf(key, whole) };
}

const factsOf = (
  key: string,
  { size, mtimeMs, ino }: { size: number; mtimeMs: number; ino: number },
): ObjectFacts => ({
  key,
  bytes: size,
  modified_at: new Date(mtimeMs).toISOString(),
  // A file is never changed in place: another content is another file.
  etag: `"${size.toString(16)}-${Math.round(mtimeMs * 1000).toString(16)}-${ino.toString(16)}"`,
});

/** The open file stays what it is when another gets its name. */
async function read(file: string, key: string, range?: ByteRange): Promise<StoredObject | null> {
  const handle = await unlessAbsent(open(file));
  if (handle === null) return null;
  const found = await handle.stat();
  if (!found.isFile()) {
    await handle.close();
    return path.basename(file) === WHOLE ? null : read(path.join(file, WHOLE), key, range);
  }
  const facts = factsOf(key, found);
  const { start, end } = range ?? { start: 0, end: facts.bytes - 1 };
  const last = Math.min(end, facts.bytes - 1);
  if (start <= last)
    return { ...facts, body: createReadStream('', { fd: handle, start, end: last }) };
  await handle.close();
  return { ...facts, body: Readable.from([]) };
}

/** In the order of the keys: a folder sorts as its name with the `/` that follows. */
async function listBelow(
  root: string,
  prefix: string,
  { cursor = null, limit = MAX_PAGE, shallow = false, keys_only = false }: ListOptions = {},
): Promise<ObjectPage> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const after = cursor === null ? null : Buffer.from(cursor);
  const found: Entry[] = [];
  let last: string | null = null;
  for await (const entry of walk(root, folder, { prefix, after, shallow })) {
    if (found.length === limit) {
      last = found.at(-1)?.key ?? null;
      break;
    }
    found.push(entry);
  }
  const files = found.filter(({ file }) => file !== null);
  return {
    keys: files.map(({ key }) => key),
    objects: keys_only ? [] : await factsOfAll(files),
    folders: found.filter(({ file }) => file === null).map(({ key }) => key),
    cursor: last,
  };
}

/** Without those that were deleted meanwhile. */
async function factsOfAll(entries: readonly Entry[]): Promise<ObjectFacts[]> {
  const all = await Promise.all(
    entries.map(async ({ key, file }) => {
      const found = file === null ? null : await unlessAbsent(stat(file));
      return found?.isFile() ? factsOf(key, found) : null;
    }),
  );
  return all.filter((facts) => facts !== null);
}

interface Walk {
  prefix: string;
  /** Only what sorts after it. */
  after: Buffer | null;
  shallow: boolean;
}

interface Entry {
  key: string;
  /** The file of an object; null for a folder. */
  file: string | null;
  order: Buffer;
}

async function* walk(root: string, folder: string, wanted: Walk): AsyncGenerator<Entry> {
  for (const entry of await entriesOf(root, folder, wanted)) {
    const isTold = wanted.after !== null && Buffer.compare(entry.order, wanted.after) <= 0;
    if (entry.file === null && !wanted.shallow) yield* walk(root, entry.key, wanted);
    else if (!isTold) yield entry;
  }
}

/** What a folder has of the prefix, and what may come after the cursor. A folder sorts with its `/`. */
async function entriesOf(
  root: string,
  folder: string,
  { prefix, after, shallow }: Walk,
): Promise<Entry[]> {
  const read = readdir(path.join(root, folder), { withFileTypes: true });
  const found: Entry[] = [];
  for (const entry of (await unlessAbsent(read)) ?? []) {
    if (TEMPORARY.test(entry.name)) continue;
    const name = `${folder}${entry.name}`;
    const key = entry.isDirectory() ? `${name}/` : name;
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
    const order = Buffer.from(key);
    // Everything in a folder that is before the cursor, unless the cursor is in it, was told already.
    const isOver =
      after !== null &&
      Buffer.compare(order, after) <= 0 &&
      !after.subarray(0, order.length).equals(order);
    if (isOver) continue;
    const inside = path.join(root, key, WHOLE);
    const isObject =
      !entry.isDirectory() || (!shallow && (await unlessAbsent(stat(inside))) !== null);
    found.push(
      isObject && entry.isDirectory()
        ? { key: name, file: inside, order: Buffer.from(name) }
        : { key, file: isObject ? path.join(root, key) : null, order },
    );
  }
  return found.sort((a, b) => Buffer.compare(a.order, b.order));
}

/** A folder without files is no object; another process may be about to write into it, and makes it again. */
async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let place = folder; place.startsWith(root + path.sep); place = path.dirname(place)) {
    const isGone = await rmdir(place).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}
