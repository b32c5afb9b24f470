/** Foreign videos in children: hostile files written byte by byte, limits, and what becomes of a child in every case. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { isRunning } from '../../../setup/process-liveness.mjs';
import { mediaOf } from '../../../src/adapters/media/media.js';
import type { Images, Media } from '../../../src/adapters/media/media.js';
import { ChildLost, NotAVideo, TooMuch } from '../../../src/adapters/media/media-failures.js';
import { createPool } from '../../../src/adapters/media/pool.js';
import type { Pool, PoolOptions } from '../../../src/adapters/media/pool.js';
import { encodeClip } from '../../../src/simulator/clip/encode.js';
import { box, fragment, ftyp, full, moov, u32 } from '../../../src/simulator/clip/boxes.js';
import { startProcess } from '../../support/processes.js';
import { testFolder } from '../../support/test-folder.js';

let folder: string;
let good: string;
const pools: Pool[] = [];

beforeAll(async () => {
  const own = testFolder('media');
  folder = own.path;
  good = await fileOf(
    await encodeClip({
      caption: 'a clip',
      seed: 's',
      width: 640,
      height: 360,
      fps: 24,
      duration: 2,
    }),
  );
  return own.remove;
});
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

const poolOf = (options: PoolOptions = {}): Pool => {
  const pool = createPool(options);
  pools.push(pool);
  return pool;
};
const mediaWith = (options: PoolOptions = {}): Media & Images => mediaOf(poolOf(options));

let files = 0;
async function fileOf(...parts: Uint8Array[]): Promise<string> {
  const file = path.join(folder, `${String((files += 1))}.mp4`);
  await writeFile(file, Buffer.concat(parts));
  return file;
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

/** Zombies count as gone: what adopts a process in a container need not bury it. */
async function isAlive(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
  const state = await readFile(`/proc/${String(pid)}/stat`, 'latin1').catch(() => ') Z');
  return !state.slice(state.lastIndexOf(')')).startsWith(') Z');
}

const aliveOf = async (pids: readonly number[]): Promise<number[]> => {
  const states = await Promise.all(pids.map(isAlive));
  return pids.filter((_, place) => states[place]);
};

const haveOpen = async (pids: readonly number[], file: string): Promise<boolean> => {
  if (process.platform !== 'linux') return true;
  const opened = pids.map(async (pid) => {
    const folder = `/proc/${String(pid)}/fd`;
    const names = await readdir(folder);
    const links = names.map((name) => readlink(path.join(folder, name)).catch(() => ''));
    return (await Promise.all(links)).includes(file);
  });
  return (await Promise.all(opened)).every((isOpen) => isOpen);
};

const repeated = (megabytes: number, piece: Buffer): Buffer =>
  Buffer.alloc(Math.floor((megabytes * 1e6) / piece.length) * piece.length, piece);

function nested(depth: number, ...names: string[]): Buffer {
  const heads = Array.from({ length: depth }, (_, level) =>
    Buffer.concat([u32((depth - level) * 8), Buffer.from(names[level % names.length] ?? 'free')]),
  );
  return Buffer.concat(heads);
}

describe('a pool that is closed', () => {
  it('has no child left, and gets a new one for its next task', async () => {
    const pool = poolOf();
    await pool.run('measure', { file: good });
    const before = pool.pids();
    expect(before).toHaveLength(1);
    await pool.close();
    expect(before.filter(isRunning)).toEqual([]);
    await pool.run('measure', { file: good });
    expect(pool.pids()).toHaveLength(1);
  });

  it('in the middle of its work starts no other child for what it ended, nor for what waited', async () => {
    const pool = poolOf({ size: 1 });
    using _ = pool.expect();
    const work = [
      failureOf(pool.run('measure', { file: good })),
      failureOf(pool.run('prepare', null)),
    ];
    expect(pool.pids()).toHaveLength(1);
    await pool.close();
    expect(pool.pids()).toEqual([]);
    expect(await Promise.all(work)).toEqual([expect.any(ChildLost), expect.any(ChildLost)]);
    expect(pool.pids()).toEqual([]);
  });
});

describe('a video', () => {
  it('is measured and gets a thumbnail, one after another in the same child', async () => {
    const pool = poolOf({ size: 1 });
    const media = mediaOf(pool);
    expect(await media.measure(good)).toEqual({ duration: 2, width: 640, height: 360 });
    const [pid] = pool.pids();
    const jpeg = await media.thumbnail(good, 1);
    expect(Buffer.from(jpeg.subarray(0, 3)).toString('hex')).toBe('ffd8ff');
    await media.measure(good);
    expect(pool.pids()).toEqual([pid]);
  });

  it.each([
    [7680, 4320],
    [4096, 2305],
    [65_535, 1],
    [65_535, 65_535],
  ])('of %i×%i has no picture when that is more than 4K', async (width, height) => {
    const large = await fileOf(ftyp, moov({ size: [width, height] }));
    const isMore = width * height > 4096 * 2304;
    await expect(mediaWith({ size: 1 }).thumbnail(large, 0)).rejects.toThrow(
      isMore ? `pixels a frame, got ${String(width)}×${String(height)}` : 'expected a picture',
    );
  });
});

const FOUR_BILLION = 0xffffffff;

describe('a hostile video', () => {
  it.each<[string, Buffer[], RegExp]>([
    [
      'a fragment of four billion samples',
      [ftyp, moov(), fragment(FOUR_BILLION)],
      /more than 384 MB/,
    ],
    [
      'fragments of a hundred million samples each',
      [ftyp, moov(), ...Array.from({ length: 40 }, () => fragment(100_000_000))],
      /more than 384 MB/,
    ],
    ['two million empty fragments', [ftyp, moov(), repeated(17, box('moof'))], /more than 5 s/],
  ])('is given up, and the next one has a child: %s', async (_name, parts, reason) => {
    const pool = poolOf({ size: 1 });
    const media = mediaOf(pool);
    const failure = await failureOf(media.measure(await fileOf(...parts)));
    expect(failure).toBeInstanceOf(TooMuch);
    expect(String(failure)).toMatch(reason);
    expect(await media.measure(good)).toMatchObject({ duration: 2 });
  });

  it.each<[string, Buffer[]]>([
    [
      'tables that claim four billion entries',
      [
        ftyp,
        moov({
          stts: full('stts', 0, u32(FOUR_BILLION)),
          stsz: full('stsz', 0, u32(0, FOUR_BILLION)),
          stsc: full('stsc', 0, u32(FOUR_BILLION)),
          stco: full('stco', 0, u32(FOUR_BILLION)),
        }),
      ],
    ],
    [
      'one entry that stands for four billion samples',
      [
        ftyp,
        moov({
          stts: full('stts', 0, u32(1, FOUR_BILLION, 40)),
          stsz: full('stsz', 0, u32(100, FOUR_BILLION)),
          stsc: full('stsc', 0, u32(1, 1, FOUR_BILLION, 1)),
          stco: full('stco', 0, u32(1, 48)),
        }),
      ],
    ],
    ['boxes twenty thousand deep', [ftyp, box('moov', nested(20_000, 'trak', 'mdia'))]],
    ['a box to the end of the file', [ftyp, u32(0), Buffer.from('moov'), moov().subarray(8)]],
    [
      'a box longer than any file',
      [ftyp, u32(1), Buffer.from('moov'), u32(FOUR_BILLION, FOUR_BILLION)],
    ],
    ['a box shorter than its head', [ftyp, u32(3), Buffer.from('moov'), moov()]],
    ['a flood of fragments', [ftyp, moov(), repeated(16, fragment(1))]],
    ['nothing', []],
    ['a frame of 65535 pixels a side', [ftyp, moov({ size: [65_535, 65_535] })]],
  ])('is not a video, or one of its own size: %s', async (_name, parts) => {
    const media = mediaWith({ size: 1 });
    const failure = await failureOf(media.measure(await fileOf(...parts)));
    expect(failure === null || failure instanceof NotAVideo || failure instanceof TooMuch).toBe(
      true,
    );
    expect(await media.measure(good)).toMatchObject({ duration: 2 });
  });

  it('with any boxes in any order and of any size is measured, or refused with a reason', async () => {
    const name = fc.constantFrom(
      ...[
        'ftyp',
        'moov',
        'mvhd',
        'trak',
        'tkhd',
        'mdia',
        'mdhd',
        'hdlr',
        'minf',
        'stbl',
        'stsd',
        'stts',
      ],
      ...[
        'stsz',
        'stsc',
        'stco',
        'co64',
        'ctts',
        'stss',
        'moof',
        'traf',
        'tfhd',
        'trun',
        'mdat',
        'free',
      ],
      ...[
        'edts',
        'elst',
        'mvex',
        'trex',
        'sidx',
        'meta',
        'udta',
        'ilst',
        'avc1',
        'avcC',
        'uuid',
        'mfra',
      ],
    );
    const claim = fc.option(fc.constantFrom(0, 1, 7, 9, 0x7fffffff, FOUR_BILLION), { freq: 4 });
    const claimed = (whole: Buffer, size: number | null): Buffer =>
      size === null ? whole : Buffer.concat([u32(size), whole.subarray(4)]);
    const { tree } = fc.letrec<{ tree: Buffer }>((tie) => ({
      tree: fc
        .tuple(
          name,
          claim,
          fc.oneof(
            { maxDepth: 6 },
            fc.uint8Array({ maxLength: 60 }).map((bytes) => [bytes]),
            fc.array(tie('tree'), { maxLength: 4 }),
          ),
        )
        .map(([kind, size, inner]) => claimed(box(kind, ...inner), size)),
    }));
    const media = mediaWith({ size: 1 });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(tree, { maxLength: 5 }), async (isMovie, trees) => {
        const file = await fileOf(ftyp, ...(isMovie ? [moov()] : []), ...trees);
        const failure = await failureOf(media.measure(file));
        await rm(file);
        expect(failure === null || failure instanceof NotAVideo || failure instanceof TooMuch).toBe(
          true,
        );
      }),
      { numRuns: 150, endOnFailure: true },
    );
    expect(await media.measure(good)).toMatchObject({ duration: 2 });
  });

  it('made of a valid one by flipping bytes is measured or refused with a reason, with or without a thumbnail', async () => {
    const whole = await readFile(good);
    const media = mediaWith({ size: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        fc.option(fc.nat(whole.length)),
        async (turns, cut) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of turns) bytes[at] = value;
          const file = await fileOf(bytes.subarray(0, cut ?? bytes.length));
          const failure = await failureOf(media.measure(file));
          expect(failure).not.toBeInstanceOf(ChildLost);
          if (failure === null) await failureOf(media.thumbnail(file, 1));
          await rm(file);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
    expect(await media.thumbnail(good, 1)).toBeDefined();
  });
});

describe('a child', () => {
  it.runIf(process.platform === 'linux')(
    'has neither token nor keys nor settings of ours',
    async () => {
      const names = [
        'REPLICATE_API_TOKEN',
        'API_KEYS',
        'TEMPORAL_API_KEY',
        'AWS_SECRET_ACCESS_KEY',
      ];
      for (const name of names) vi.stubEnv(name, 'a secret');
      const pool = poolOf();
      await mediaOf(pool).measure(good);
      vi.unstubAllEnvs();
      for (const pid of pool.pids()) {
        const given = await readFile(`/proc/${String(pid)}/environ`, 'utf8');
        expect(given).not.toContain('a secret');
        const entries = given.split('\0').filter((entry) => entry !== '');
        expect(entries.map((entry) => entry.slice(0, entry.indexOf('='))).sort()).toEqual(
          expect.arrayContaining(['MALLOC_ARENA_MAX', 'PATH']),
        );
      }
      expect(pool.pids()).not.toEqual([]);
    },
  );

  it('that is killed from outside is replaced, and its file is tried again', async () => {
    const pool = poolOf({ size: 1 });
    const looking = mediaOf(pool).measure(good);
    await expect.poll(() => pool.pids()).toHaveLength(1);
    for (const pid of pool.pids()) process.kill(pid, 'SIGKILL');
    expect(await looking).toMatchObject({ duration: 2 });
  });

  it('that is killed each time is reported as lost, not as a fault of the file', async () => {
    const pool = poolOf({ size: 1 });
    let over = false;
    const looking = failureOf(mediaOf(pool).measure(good)).finally(() => (over = true));
    const killed = new Set<number>();
    while (!over) {
      for (const pid of pool.pids().filter((one) => !killed.has(one))) {
        killed.add(pid);
        process.kill(pid, 'SIGKILL');
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await looking).toBeInstanceOf(ChildLost);
    expect(killed.size).toBe(2);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves %s to its parent', async (signal) => {
    const pool = poolOf({ size: 1 });
    const media = mediaOf(pool);
    await media.measure(good);
    const pids = pool.pids();
    for (const pid of pids) process.kill(pid, signal);
    expect(await media.measure(good)).toMatchObject({ duration: 2 });
    expect(pool.pids()).toEqual(pids);
  });

  it('that is idle ends', async () => {
    const pool = poolOf({ size: 2, idle: 1, patience: 0 });
    const media = mediaOf(pool);
    await Promise.all([media.measure(good), media.measure(good)]);
    await expect.poll(() => pool.pids()).toEqual([]);
    expect(await media.measure(good)).toMatchObject({ duration: 2 });
  });

  it('runs before the first expected video, and until no video is expected', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const idle = 30_000;
      const pool = poolOf({ size: 2, idle });
      const media = mediaOf(pool);
      const expected = [media.expect(), media.expect()];
      const [pid] = pool.pids();
      expect(pid).toBeGreaterThan(0);
      await media.measure(good);
      expected[0]?.[Symbol.dispose]();
      expected[0]?.[Symbol.dispose]();
      vi.advanceTimersByTime(10 * idle);
      expect(pool.pids()).toEqual([pid]);
      expected[1]?.[Symbol.dispose]();
      vi.advanceTimersByTime(idle);
      expect(pool.pids()).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is enough for fifty clips, five at a time', async () => {
    const pool = poolOf({ size: 4, patience: 600_000 });
    const media = mediaOf(pool);
    const seen = new Set<number>();
    const clips = Array.from({ length: 50 }).values();
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        for (const _ of clips) {
          await media.measure(good);
          await media.thumbnail(good, 1);
          for (const pid of pool.pids()) seen.add(pid);
        }
      }),
    );
    expect(seen.size).toBe(1);
  });

  it('holds up no other file for long', async () => {
    const slow = await fileOf(ftyp, moov(), repeated(17, box('moof')));
    const pool = poolOf({ size: 2 });
    const media = mediaOf(pool);
    let isOver = false;
    const looking = failureOf(media.measure(slow)).finally(() => (isOver = true));
    expect(await media.measure(good)).toMatchObject({ duration: 2 });
    expect(isOver).toBe(false);
    expect(pool.pids()).toHaveLength(2);
    expect(await looking).toBeInstanceOf(TooMuch);
  });

  it('is one of no more than the limit, under any load', async () => {
    const pool = poolOf({ size: 2, patience: 0 });
    const media = mediaOf(pool);
    let most = 0;
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        await media.measure(good);
        most = Math.max(most, pool.pids().length);
      }),
    );
    expect(most).toBe(2);
  });

  it.each([
    ['at rest', () => good],
    // Most of a minute of work in one go: no message is heard in it.
    ['busy', () => fileOf(ftyp, moov(), repeated(120, box('moof')))],
  ])('ends with its parent when that is killed, %s', async (state, make) => {
    const file = await make();
    const parent = startProcess(['node', 'test/support/media-parent.mjs', file, file]);
    let pids: number[] = [];
    try {
      await expect.poll(() => parent.stdout).toMatch(/\]/);
      pids = JSON.parse(parent.stdout) as number[];
      expect(pids).toHaveLength(2);
      expect(await aliveOf(pids)).toEqual(pids);
      if (state === 'busy') await expect.poll(() => haveOpen(pids, file)).toBe(true);
    } finally {
      parent.signal('SIGKILL');
    }
    await expect.poll(() => aliveOf(pids), { timeout: 15_000 }).toEqual([]);
  });

  it('that is idle keeps no process from its end', async () => {
    const script = `
      import { media } from './dist/src/adapters/media/media.js';
      console.log(JSON.stringify(await media.measure(${JSON.stringify(good)})));
    `;
    const output = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], (error, stdout) => {
        if (error === null) resolve(stdout);
        else reject(new Error(error.message, { cause: error }));
      });
    });
    expect(JSON.parse(output)).toMatchObject({ duration: 2 });
  });
});
