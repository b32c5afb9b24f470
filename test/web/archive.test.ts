/** The archive is checked by a reader that is not ours: the zipfile module of Python. */
import { execFileSync } from 'node:child_process';
import { createWriteStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  archiveLength,
  archiveName,
  archiveOf,
  clipNames,
  type ArchiveFile,
} from '../../src/web/archive.js';
import { lacks } from '../support/needed-programs.js';
import { testFolder } from '../support/test-folder.js';

type Bytes = Uint8Array<ArrayBuffer>;

const lacksPython = lacks('python3');

async function* pieces(...all: Bytes[]): AsyncGenerator<Bytes> {
  for (const piece of all) yield await Promise.resolve(piece);
}

const file = (name: string, ...content: Bytes[]): ArchiveFile => ({
  name,
  at: new Date(2026, 0, 31, 13, 30, 10),
  size: content.reduce((sum, { length }) => sum + length, 0),
  bytes: () => pieces(...content),
});

async function write(files: ArchiveFile[]): Promise<string> {
  const { path, remove } = testFolder('zip');
  onTestFinished(remove);
  const archive = join(path, 'all.zip');
  const stream = archiveOf(files) as unknown as NodeStream<Uint8Array>;
  await pipeline(Readable.fromWeb(stream), createWriteStream(archive));
  return archive;
}

describe('an archive', () => {
  it.skipIf(lacksPython)('gives every file back, byte for byte, to another program', async () => {
    const long = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 251);
    const files = [
      { ...file('result.json'), bytes: () => new TextEncoder().encode('{"job_id":"größer"}\n') },
      file('clip_000.mp4', long.slice(0, 9), long.slice(9)),
      file('empty.mp4'),
    ];
    const archive = await write(files);
    execFileSync('python3', ['-m', 'zipfile', '-t', archive]);
    execFileSync('python3', ['-m', 'zipfile', '-e', archive, join(archive, '..')]);
    const read = (name: string): Buffer => readFileSync(join(archive, '..', name));
    expect(read('result.json').toString()).toBe('{"job_id":"größer"}\n');
    expect(read('clip_000.mp4').equals(long)).toBe(true);
    expect(read('empty.mp4')).toHaveLength(0);
  });

  it('has exactly the length that was said before', async () => {
    const contents = fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(contents, async (all) => {
        const files = all.map((content, index) =>
          file(`clip_${String(index)}.mp4`, ...content.map((piece) => Uint8Array.from(piece))),
        );
        expect(statSync(await write(files)).size).toBe(archiveLength(files));
      }),
      { numRuns: 30 },
    );
  });

  it('of unknown sizes has an unknown length', () => {
    expect(archiveLength([{ ...file('a.mp4'), size: null }])).toBeNull();
  });

  it('asks for a file when it is its turn, and not before what is before it was read', async () => {
    const asked: string[] = [];
    const files = ['a', 'b', 'c'].map((name) => ({
      ...file(name),
      bytes: () => {
        asked.push(name);
        return pieces(new Uint8Array(100_000));
      },
    }));
    const reader = archiveOf(files).getReader();
    await reader.read();
    expect(asked.length).toBeLessThan(3);
    await reader.cancel().catch(() => undefined);
  });

  it('ends as an error, without an end record, when a file breaks off', async () => {
    async function* broken(): AsyncGenerator<Bytes> {
      yield await Promise.resolve(new Uint8Array(1000));
      throw new Error('Clip 1 came incomplete');
    }
    const reader = archiveOf([
      file('a.mp4', new Uint8Array(10)),
      { ...file('b.mp4'), bytes: broken },
    ]).getReader();
    const chunks: Uint8Array[] = [];
    const all = async (): Promise<void> => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        chunks.push(value);
      }
    };
    await expect(all()).rejects.toThrow('Clip 1 came incomplete');
    expect(Buffer.concat(chunks).includes('PK\u0005\u0006')).toBe(false);
  });

  it.skipIf(lacksPython)(
    'of more than 4 GiB is zip64, and its directory is found',
    async () => {
      const piece = new Uint8Array(64 * 1024 * 1024);
      const big = (name: string, times: number): ArchiveFile =>
        file(name, ...Array.from({ length: times }, () => piece));
      const files = [big('clip_000.mp4', 65), file('clip_001.mp4', new Uint8Array(7))];
      const tail: Uint8Array[] = [];
      let total = 0;
      const reader = archiveOf(files).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        total += value.length;
        if (value.length < piece.length) tail.push(value);
      }
      expect(total).toBe(archiveLength(files));
      // The same archive as Python sees it, the 4 GiB of nothing being a hole of the file.
      const script = [
        'import sys, zipfile',
        'path, total = sys.argv[1], int(sys.argv[2])',
        'tail = sys.stdin.buffer.read()',
        'f = open(path, "wb"); f.truncate(total - len(tail)); f.seek(total - len(tail)); f.write(tail); f.close()',
        'print([(i.filename, i.file_size) for i in zipfile.ZipFile(path).infolist()])',
      ].join('\n');
      using folder = testFolder('zip');
      const sparse = join(folder.path, 'sparse.zip');
      const last = Buffer.concat(tail.slice(2)); // after the first file's header and name
      const seen = execFileSync('python3', ['-c', script, sparse, String(total)], { input: last });
      expect(seen.toString().trim()).toBe(
        `[('clip_000.mp4', ${String(65 * piece.length)}), ('clip_001.mp4', 7)]`,
      );
    },
    120_000,
  );
});

describe('names', () => {
  it('of clips are each there once, with any indices', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2000 })), (indices) => {
        const names = clipNames(indices);
        expect(new Set(names).size).toBe(indices.length);
        for (const name of names) expect(name).toMatch(/^clip_\d{3,}(?:_\d+)?\.mp4$/);
      }),
    );
  });

  it('of an archive are file names everywhere, for any name of a job', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('CON', '..', '../x', 'nul', '')),
        (id) => {
          expect(archiveName(id)).toMatch(/^[\p{L}\p{N}_-][\p{L}\p{N}._-]*\.zip$/u);
          expect(archiveName(id).length).toBeLessThan(120);
          expect(archiveName(id)).not.toMatch(/^(?:con|nul)\./i);
        },
      ),
    );
    expect(archiveName('launch-trailer')).toBe('launch-trailer.zip');
  });
});
