/** The archive is checked by a reader that is not ours: the zipfile module of Python. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32, zipParts } from '../../src/web/zip.js';

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython)
  console.warn('Skipped: reading zip files back needs python3, which is not installed.');

describe('zip', () => {
  it.skipIf(!hasPython)('gives every file back, byte for byte, to another program', () => {
    const entries = [
      { name: 'result.json', bytes: bytes('{"job_id":"größer"}\n') },
      {
        name: 'clip_000.mp4',
        bytes: Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 251),
      },
      { name: 'empty.mp4', bytes: bytes('') },
    ];
    const folder = mkdtempSync(join(tmpdir(), 'zip-'));
    const archive = join(folder, 'all.zip');
    writeFileSync(archive, Buffer.concat(zipParts(entries, new Date(2026, 0, 31, 13, 30, 10))));
    execFileSync('python3', ['-m', 'zipfile', '-t', archive]);
    execFileSync('python3', ['-m', 'zipfile', '-e', archive, folder]);
    for (const entry of entries) {
      expect(readFileSync(join(folder, entry.name)).equals(entry.bytes)).toBe(true);
    }
  });

  it('counts the checksum that every zip counts', () => {
    expect(crc32(bytes('123456789'))).toBe(0xcbf4_3926);
    expect(crc32(bytes(''))).toBe(0);
  });

  it('refuses more than a zip file can hold instead of writing a broken one', () => {
    const one = { name: 'a', bytes: bytes('') };
    expect(() =>
      zipParts(
        Array.from({ length: 65_536 }, () => one),
        new Date(),
      ),
    ).toThrow(/one by one/);
  });
});
