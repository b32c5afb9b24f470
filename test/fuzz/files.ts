/** Any file, as a reference image or a video: it is told, measured or refused, and the next good one is looked into as before. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { kindOf } from '../../src/adapters/media/file-kind.js';
import {
  ChildLost,
  mediaOf,
  NotAnImage,
  NotAVideo,
  TooMuch,
} from '../../src/adapters/media/media.js';
import { createPool } from '../../src/adapters/media/pool.js';
import { encodeClip } from '../../src/simulator/clip/encode.js';
import { fragment, ftyp, moov } from '../../src/simulator/clip/boxes.js';
import { picture } from '../support/image-host.js';
import { propertyOf } from './fuzzer.js';
import type { Fuzzer } from './fuzzer.js';
import { testFolder } from '../support/test-folder.js';

const FAMILIES = ['image', 'video', 'audio', 'archive', 'document', 'text', 'empty', 'unknown'];

/** Bytes of a good file with some of them changed, some left out, and its end cut off. */
const damaged = (good: Uint8Array): fc.Arbitrary<Buffer> =>
  fc
    .record({
      bytes: fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), {
        maxLength: 12,
      }),
      words: fc.array(
        fc.tuple(
          fc.nat(Math.max(0, Math.min(good.length, 2_000) - 4)),
          fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1),
        ),
        { maxLength: 3 },
      ),
      end: fc.option(fc.nat(good.length), { freq: 3 }),
    })
    .map(({ bytes, words, end }) => {
      const copy = Buffer.from(good);
      for (const [place, value] of bytes) copy[place] = value;
      for (const [place, value] of words)
        if (place + 4 <= copy.length) copy.writeUInt32BE(value, place);
      return copy.subarray(0, end ?? copy.length);
    });

export const files: Fuzzer = {
  name: 'file',
  runs: 60,
  async open() {
    const { path: folder, remove } = testFolder('files');
    const pool = createPool();
    const media = mediaOf(pool);
    const size = { width: 160, height: 90 };
    const clip = await encodeClip({ caption: 'a', seed: 's', ...size, fps: 12, duration: 1 });
    const image = await picture('png', [64, 64]);
    const good = path.join(folder, 'good.mp4');
    const bad = path.join(folder, 'bad.mp4');
    await writeFile(good, clip);
    const images = ['jpeg', 'png', 'webp', 'gif'] as const;
    const pictures = await Promise.all(images.map((format) => picture(format, [64, 64])));
    const videos = [clip, Buffer.concat([ftyp, moov(), fragment(3)])];
    const any = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const content = fc.oneof(any, ...[...pictures, ...videos].map(damaged));
    const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => null,
        (error: unknown) => error,
      );
    return {
      property: propertyOf(content, async (bytes) => {
        expect(FAMILIES).toContain(kindOf(bytes).family);
        await writeFile(bad, bytes);
        const failures = [
          await failureOf(media.measure(bad)),
          await failureOf(media.inspect(bytes, false)),
        ];
        for (const failure of failures.filter((one) => one !== null)) {
          const known = [NotAVideo, NotAnImage, TooMuch, ChildLost];
          expect(known.map((kind) => failure instanceof kind)).toContain(true);
        }
        expect(await media.measure(good)).toMatchObject(size);
        expect(await failureOf(media.inspect(image, false))).toBeNull();
      }),
      async [Symbol.asyncDispose]() {
        await pool.close();
        remove();
      },
    };
  },
};
