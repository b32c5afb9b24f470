/**
 * Gives the bytes of a clip, rendering it when it is first wanted: at most two at a time, each once, kept in
 * memory up to a limit and, where there is a directory, on disk as well, so that a restarted simulator serves
 * the same bytes. A file that is gone is rendered again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { encodeClip, type ClipRequest } from './encode.js';

const MEMORY_BYTES = 48 * 1024 * 1024;
const DISK_BYTES = 512 * 1024 * 1024;
const AT_ONCE = 2;
const VERSION = 1;

export interface ClipFile {
  bytes: Uint8Array;
  etag: string;
}

export class ClipStore {
  readonly #directory: string | null;
  /** Oldest use first. */
  readonly #memory = new Map<string, ClipFile>();
  readonly #rendering = new Map<string, Promise<ClipFile>>();
  readonly #limit = pLimit(AT_ONCE);
  #bytes = 0;

  constructor(directory: string | null) {
    this.#directory = directory;
    if (directory !== null) mkdirSync(directory, { recursive: true });
  }

  async get(request: ClipRequest): Promise<ClipFile> {
    const key = createHash('sha256')
      .update(JSON.stringify([VERSION, request]))
      .digest('hex')
      .slice(0, 40);
    const known = this.#memory.get(key);
    if (known !== undefined) {
      this.#memory.delete(key);
      this.#memory.set(key, known);
      return known;
    }
    const rendering = this.#rendering.get(key) ?? this.#make(key, request);
    this.#rendering.set(key, rendering);
    try {
      return await rendering;
    } finally {
      this.#rendering.delete(key);
    }
  }

  async #make(key: string, request: ClipRequest): Promise<ClipFile> {
    const path = this.#directory === null ? null : join(this.#directory, `${key}.mp4`);
    const stored = path === null ? null : await readFile(path).catch(() => null);
    const bytes = stored ?? (await this.#limit(() => encodeClip(request)));
    if (stored === null && path !== null) await this.#save(path, bytes);
    const file = { bytes, etag: `"${createHash('md5').update(bytes).digest('hex')}"` };
    this.#remember(key, file);
    return file;
  }

  /** Written aside and renamed: a killed simulator leaves no half of a clip under its name. */
  async #save(path: string, bytes: Uint8Array): Promise<void> {
    const aside = `${path}.${String(process.pid)}.part`;
    try {
      await writeFile(aside, bytes);
      await rename(aside, path);
      await this.#prune();
    } catch {
      // The disk is a convenience; the clip is served from memory.
      await unlink(aside).catch(() => undefined);
    }
  }

  async #prune(): Promise<void> {
    if (this.#directory === null) return;
    const directory = this.#directory;
    const names = await readdir(directory);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(directory, name);
        const found = await stat(path).catch(() => null);
        return { path, size: found?.size ?? 0, at: found?.mtimeMs ?? 0 };
      }),
    );
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((one, other) => one.at - other.at)) {
      if (total <= DISK_BYTES) return;
      await unlink(path).catch(() => undefined);
      total -= size;
    }
  }

  #remember(key: string, file: ClipFile): void {
    this.#memory.set(key, file);
    this.#bytes += file.bytes.length;
    for (const [oldest, { bytes }] of this.#memory) {
      if (this.#bytes <= MEMORY_BYTES || oldest === key) return;
      this.#memory.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}
