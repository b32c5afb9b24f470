/**
 * Files that clients hand to the provider: kept for a day, on disk where there is a directory, else in memory
 * up to a limit. What happens is told to `notes`, so that it can be remembered.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIFETIME = 24 * 3600 * 1000;
const MEMORY_BYTES = 128 * 1024 * 1024;

export interface Upload {
  id: string;
  name: string;
  content_type: string;
  size: number;
  sha256: string;
  metadata: Record<string, unknown>;
  created_at: number;
}

interface UploadNotes {
  uploaded: (upload: Upload) => void;
  deleted: (id: string) => void;
}

export class Uploads {
  readonly #directory: string | null;
  readonly #notes: UploadNotes;
  readonly #uploads = new Map<string, Upload>();
  readonly #memory = new Map<string, Uint8Array>();

  constructor(directory: string | null, notes: UploadNotes) {
    this.#directory = directory;
    this.#notes = notes;
    if (directory !== null) mkdirSync(directory, { recursive: true });
  }

  add(
    bytes: Uint8Array,
    about: Pick<Upload, 'name' | 'content_type' | 'metadata'>,
    now: number,
  ): Upload {
    const upload: Upload = {
      id: randomBytes(13).toString('hex'),
      ...about,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      created_at: now,
    };
    if (this.#directory === null) this.#keep(upload.id, bytes);
    else writeFileSync(join(this.#directory, upload.id), bytes);
    this.#uploads.set(upload.id, upload);
    this.#notes.uploaded(upload);
    return upload;
  }

  /** Undefined once it has expired. */
  get(id: string, now: number): Upload | undefined {
    const upload = this.#uploads.get(id);
    return upload !== undefined && now < expiryOf(upload) ? upload : undefined;
  }

  bytes({ id }: Upload): Uint8Array | null {
    if (this.#directory === null) return this.#memory.get(id) ?? null;
    try {
      return readFileSync(join(this.#directory, id));
    } catch {
      return null;
    }
  }

  list(): Upload[] {
    return [...this.#uploads.values()].reverse();
  }

  delete(id: string): void {
    this.forget(id);
    this.#notes.deleted(id);
  }

  restore(upload: Upload): void {
    this.#uploads.set(upload.id, upload);
  }

  forget(id: string): void {
    this.#uploads.delete(id);
    this.#memory.delete(id);
    if (this.#directory !== null) rmSync(join(this.#directory, id), { force: true });
  }

  clear(): void {
    for (const id of [...this.#uploads.keys()]) this.forget(id);
  }

  #keep(id: string, bytes: Uint8Array): void {
    this.#memory.set(id, bytes);
    let total = [...this.#memory.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [oldest, { length }] of this.#memory) {
      if (total <= MEMORY_BYTES || oldest === id) return;
      this.#memory.delete(oldest);
      total -= length;
    }
  }
}

export const expiryOf = ({ created_at: created }: Upload): number => created + LIFETIME;
