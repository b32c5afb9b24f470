/**
 * Many files as one zip, made while they come: not compressed (videos are compressed already), zip64 where it needs to be.
 * The stream fails with the file that fails, and then has no end record: no program takes it for a whole archive.
 */
import { withoutLeading, withoutTrailing } from '../domain/values/trim-ends.js';
import { clipFileName } from '../domain/job/clip-files.js';
import { makeZip, predictLength } from './vendor/client-zip.js';

export interface ArchiveFile {
  name: string;
  at: Date;
  /** Null: not known. */
  size: number | null;
  /** Called when it is this file's turn. */
  bytes: () => AsyncIterable<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;
}

export const archiveOf = (files: readonly ArchiveFile[]): ReadableStream<Uint8Array<ArrayBuffer>> =>
  makeZip(entriesOf(files), { buffersAreUTF8: true }) as ReadableStream<Uint8Array<ArrayBuffer>>;

function* entriesOf(
  files: readonly ArchiveFile[],
): Generator<{ name: string; lastModified: Date; input: ReturnType<ArchiveFile['bytes']> }> {
  for (const { name, at, bytes } of files) yield { name, lastModified: at, input: bytes() };
}

/** Bytes that the whole archive will have; null when a file's size is unknown. */
export function archiveLength(files: readonly ArchiveFile[]): number | null {
  const known = files.flatMap(({ name, size }) => (size === null ? [] : [{ name, size }]));
  return known.length === files.length ? Number(predictLength(known)) : null;
}

/** Names of the clips' videos, safe everywhere and each once, also where an index should stand twice. */
export function clipNames(indices: readonly number[]): string[] {
  const taken = new Map<string, number>();
  return indices.map((index) => {
    const name = clipFileName(index, 'video');
    const before = taken.get(name) ?? 0;
    taken.set(name, before + 1);
    return before === 0 ? name : name.replace('.mp4', `_${String(before + 1)}.mp4`);
  });
}

/** Names that Windows keeps for devices. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** What to call the archive of a job: a workflow that was started elsewhere may have any id. */
export function archiveName(jobId: string): string {
  const plain = withoutTrailing(
    withoutLeading(jobId.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_'), '._'),
    '._',
  ).slice(0, 100);
  return `${plain === '' || DEVICES.test(plain) ? `job_${plain}` : plain}.zip`;
}
