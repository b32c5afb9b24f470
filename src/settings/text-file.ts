/**
 * Text files that a setting names: catalogues, certificates, profiles. Editors and shells put a byte order mark in front
 * of some, or write UTF-16; both are read. No more than `maxBytes` are read: a device or a pipe may be endless.
 */
import { closeSync, openSync, readSync } from 'node:fs';

type TextFile = { ok: true; text: string } | { ok: false; problem: Problem };

/** `text` completes the sentence "expected …, but …". */
interface Problem {
  kind: 'unreadable' | 'too_large' | 'not_text';
  text: string;
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  ENOTDIR: 'there is no such folder',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its links lead in a circle',
};

/** By the mark in front; without one, or with that of UTF-8, a text is UTF-8. */
const MARKS = [
  { mark: [0xff, 0xfe], encoding: 'utf-16le' },
  { mark: [0xfe, 0xff], encoding: 'utf-16be' },
] as const;

export function readTextFile(file: string, maxBytes: number): TextFile {
  try {
    const bytes = readAtMost(file, maxBytes + 1);
    if (bytes.length > maxBytes) {
      return refused('too_large', `it has more than ${String(maxBytes)} bytes`);
    }
    return { ok: true, text: decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return refused('not_text', 'it is no text in UTF-8');
    const { code = '', message } = error as NodeJS.ErrnoException;
    return refused('unreadable', READ_ERRORS[code] ?? message);
  }
}

const refused = (kind: Problem['kind'], text: string): TextFile => ({
  ok: false,
  problem: { kind, text },
});

/** Throws a TypeError for bytes that are no text; a byte order mark is not part of the text. */
function decode(bytes: Uint8Array): string {
  const marked = MARKS.find(({ mark }) => mark.every((byte, at) => bytes[at] === byte));
  return new TextDecoder(marked?.encoding ?? 'utf-8', { fatal: true }).decode(bytes);
}

function readAtMost(file: string, limit: number): Uint8Array {
  const handle = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(limit);
    let length = 0;
    while (length < limit) {
      const read = readSync(handle, buffer, length, limit - length, null);
      if (read === 0) break;
      length += read;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(handle);
  }
}
