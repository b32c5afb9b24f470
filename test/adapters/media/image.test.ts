/** Images from outside in a child: broken, truncated, mislabelled or huge ones are refused with a reason, at a bounded cost. */
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectImage, MAX_PIXELS } from '../../../src/adapters/media/image.js';
import { BadPart, mediaOf, NotAnImage } from '../../../src/adapters/media/media.js';
import { createPool } from '../../../src/adapters/media/pool.js';
import { picture } from '../../support/image-host.js';

/** Half of what one 49-megapixel image takes when it is decoded whole, and less than seven files of them together. */
const pool = createPool({ size: 1, limits: { megabytes: 320 } });
const images = mediaOf(pool);
afterAll(() => pool.close());

const FORMATS = ['jpeg', 'png', 'webp'] as const;
const samples = new Map<string, Buffer>();
beforeAll(async () => {
  for (const format of FORMATS) samples.set(format, await picture(format, [160, 120]));
});
const sampleOf = (format: string): Buffer => samples.get(format) ?? Buffer.alloc(0);

async function reasonOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(NotAnImage);
    return (error as Error).message;
  }
}

describe('an image', () => {
  it.each(FORMATS)('that is truncated anywhere is refused: %s', async (format) => {
    const whole = sampleOf(format);
    await fc.assert(
      fc.asyncProperty(fc.nat(Math.floor(whole.length * 0.9)), async (length) => {
        expect(await reasonOf(images.inspect(whole.subarray(0, length), true))).not.toBeNull();
      }),
      { numRuns: 40 },
    );
  });

  it.each(FORMATS)(
    'with flipped bytes is accepted, or refused with a reason: %s',
    async (format) => {
      const whole = sampleOf(format);
      const turn = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { maxLength: 12 }), async (turns) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of turns) bytes[at] = value;
          await reasonOf(images.inspect(bytes, true));
        }),
        { numRuns: 80 },
      );
    },
  );

  it('with a valid start and any bytes after it is refused with a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FORMATS),
        fc.nat(60),
        fc.uint8Array({ maxLength: 400 }),
        async (format, length, tail) => {
          const bytes = Buffer.concat([sampleOf(format).subarray(0, length), tail]);
          expect(await reasonOf(images.inspect(bytes, true))).not.toBeNull();
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each(FORMATS)(
    'that lies about its size is refused before it is decoded: %s',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(side(format), side(format), async (width, height) => {
          const bytes = withSize(format, sampleOf(format), width, height);
          const reason = (await reasonOf(images.inspect(bytes, true))) ?? 'none';
          if (width < 64 || height < 64) expect(reason).toMatch(/at least 64|broken/);
          else if (width * height > MAX_PIXELS)
            expect(reason).toMatch(/at most 50 megapixels|broken/);
          // JPEG: what is missing before an end that is there is a warning, and grey.
          else expect(reason).toMatch(format === 'jpeg' ? /broken|none/ : /broken/);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('is kept upright, scaled down to what a composite needs', async () => {
    const turned = await sharp(await picture('jpeg', [3000, 2000]))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { kept } = await images.inspect(turned, true);
    expect(await sharp(kept ?? undefined).metadata()).toMatchObject({ width: 1280, height: 1920 });
    const strip = await images.inspect(await picture('png', [20_000, 100]), true);
    expect(await sharp(strip.kept ?? undefined).metadata()).toMatchObject({
      width: 4096,
      height: 20,
    });
    const small = await images.inspect(await picture('webp', [320, 240]), true);
    expect(await sharp(small.kept ?? undefined).metadata()).toMatchObject({
      width: 320,
      height: 240,
    });
    expect((await images.inspect(turned, false)).kept).toBeNull();
  });

  it('with transparent parts keeps them', async () => {
    const glass = await sharp({
      create: { width: 2000, height: 2000, channels: 4, background: '#ff000080' },
    })
      .webp()
      .toBuffer();
    const { kept } = await images.inspect(glass, true);
    expect((await sharp(kept ?? undefined).stats()).isOpaque).toBe(false);
  });

  it('that is none is recognized in this process too, whichever bytes it repeats', async () => {
    const piece = fc.constantFrom(
      '<!---->',
      '<!-- ',
      '-->',
      '<?',
      '?>',
      '<!',
      '<svg',
      '[',
      ']',
      ' ',
      '\0',
      '"',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.nat(40_000), async (pieces, times) => {
        const bytes = Buffer.from(pieces.join('').repeat(times).slice(0, 200_000));
        expect(await reasonOf(inspectImage(bytes))).toMatch(
          /^expected a JPEG, PNG or WebP image, got /,
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('seven images of 49 megapixels', () => {
  it('are composed in the memory that one small image may take', async () => {
    const huge = await picture('jpeg', [7000, 7000]);
    const kept: Uint8Array[] = [];
    for (let count = 0; count < 7; count++) {
      kept.push((await images.inspect(huge, true)).kept ?? new Uint8Array());
    }
    const [scene = new Uint8Array(), ...others] = kept;
    const parts = {
      aspect_ratio: '16:9',
      scene,
      characters: others.slice(0, 3),
      objects: others.slice(3),
    };
    const jpeg = await images.compose(parts);
    expect(await sharp(jpeg).metadata()).toMatchObject({ width: 1280, height: 720 });
  });

  it('are not decoded for a composite as they are', async () => {
    const scene = await picture('jpeg', [7000, 7000]);
    const parts = {
      aspect_ratio: '16:9',
      scene,
      characters: [scene, scene, scene],
      objects: [scene],
    };
    await expect(images.compose(parts)).rejects.toThrow(/at most 100 megapixels/);
  });

  it('one of which is broken are refused with its index', async () => {
    const scene = await picture();
    const broken = Buffer.from('no image');
    const failed = images.compose({
      aspect_ratio: '1:1',
      scene,
      characters: [scene, broken],
      objects: [scene],
    });
    await expect(failed).rejects.toBeInstanceOf(BadPart);
    await expect(failed).rejects.toMatchObject({ index: 2 });
  });
});

/** ISO 3309; Node has it from 20.15. */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum >>> 0;
}

/** What the format's field can hold. */
const side = (format: string): fc.Arbitrary<number> => {
  const most = { jpeg: 65_535, png: 0x7fffffff, webp: 2 ** 24 }[format] ?? 1;
  return fc
    .oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 200, max: 20_000 }),
      fc.integer({ min: 1, max: most }),
    )
    .filter((length) => length !== 160 && length !== 120);
};

/** The same file with other figures in its header, and checksums that fit. */
function withSize(format: string, whole: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(whole);
  switch (format) {
    case 'png':
      bytes.writeUInt32BE(width, 16);
      bytes.writeUInt32BE(height, 20);
      bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
      return bytes;
    case 'jpeg': {
      const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
      bytes.writeUInt16BE(height, frame + 5);
      bytes.writeUInt16BE(width, frame + 7);
      return bytes;
    }
    default: {
      // The extended form: its own canvas in front of the picture.
      const extended = Buffer.alloc(18);
      extended.write('VP8X', 0, 'latin1');
      extended.writeUInt32LE(10, 4);
      extended.writeUIntLE(width - 1, 12, 3);
      extended.writeUIntLE(height - 1, 15, 3);
      const file = Buffer.concat([bytes.subarray(0, 12), extended, bytes.subarray(12)]);
      file.writeUInt32LE(file.length - 8, 4);
      return file;
    }
  }
}
