/**
 * Is this an image that video models take? Judged by its bytes, never by its name or content type, and decoded
 * once to its last row, since a file that is cut off looks whole in its header. Only three formats reach the
 * decoder at all: what draws (SVG, PDF) or has many faces (TIFF) stays outside.
 */
import sharp from 'sharp';

export interface ImageFacts {
  format: ImageFormat;
  width: number;
  height: number;
}

export class NotAnImage extends Error {
  override readonly name = 'NotAnImage';
}

export type ImageFormat = 'jpeg' | 'png' | 'webp';

export const MIN_SIDE = 64;
export const MAX_PIXELS = 50_000_000;

const starts = (bytes: Buffer, text: string, at = 0): boolean =>
  bytes.subarray(at, at + text.length).equals(Buffer.from(text, 'latin1'));

const FORMATS: readonly (readonly [ImageFormat, (bytes: Buffer) => boolean])[] = [
  ['jpeg', (bytes) => starts(bytes, '\xff\xd8\xff')],
  ['png', (bytes) => starts(bytes, '\x89PNG\r\n\x1a\n')],
  ['webp', (bytes) => starts(bytes, 'RIFF') && starts(bytes, 'WEBP', 8)],
];

/** What people send instead, for a message that helps. */
const OTHERS: readonly (readonly [string, (bytes: Buffer, text: string) => boolean])[] = [
  ['an empty file', (bytes) => bytes.length === 0],
  [
    'an SVG',
    (_, text) => /^(?:<\?xml[^]*?)?(?:<!--[^]*?-->\s*|<!doctype svg[^>]*>\s*)*<svg/i.test(text),
  ],
  ['an HTML page', (_, text) => /^<(?:!doctype html|html|head|body|script)/i.test(text)],
  ['JSON', (_, text) => /^[[{]/.test(text)],
  ['a GIF', (bytes) => starts(bytes, 'GIF8')],
  ['a PDF', (bytes) => starts(bytes, '%PDF')],
  ['a TIFF', (bytes) => starts(bytes, 'II*\0') || starts(bytes, 'MM\0*')],
  ['a BMP', (bytes) => starts(bytes, 'BM')],
  ['an AVIF or HEIC', (bytes) => starts(bytes, 'ftypavi', 4) || starts(bytes, 'ftyphei', 4)],
  ['a video', (bytes) => starts(bytes, 'ftyp', 4) || starts(bytes, '\x1aE\xdf\xa3')],
];

/** Throws NotAnImage with a sentence. */
export async function inspectImage(bytes: Buffer): Promise<ImageFacts> {
  const format = FORMATS.find(([, is]) => is(bytes))?.[0];
  if (format === undefined)
    throw new NotAnImage(`expected a JPEG, PNG or WebP image, got ${otherName(bytes)}`);
  const { width, height } = await sizeOf(bytes, format);
  const size = `${String(width)}×${String(height)}`;
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new NotAnImage(`expected at least ${String(MIN_SIDE)} pixels a side, got ${size}`);
  }
  if (width * height > MAX_PIXELS) {
    throw new NotAnImage(`expected at most ${String(MAX_PIXELS / 1e6)} megapixels, got ${size}`);
  }
  await decode(bytes, format);
  return { format, width, height };
}

function otherName(bytes: Buffer): string {
  const text = bytes
    .subarray(0, 1024)
    .toString('utf8')
    .replace(/^\uFEFF?\s+/, '');
  return OTHERS.find(([, is]) => is(bytes, text))?.[0] ?? 'something else';
}

async function sizeOf(
  bytes: Buffer,
  format: ImageFormat,
): Promise<{ width: number; height: number }> {
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return { width, height };
  } catch (error) {
    throw broken(format, error);
  }
}

/** To a handful of pixels: every byte is read, little is kept. */
async function decode(bytes: Buffer, format: ImageFormat): Promise<void> {
  try {
    await sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .resize(16, 16, { fit: 'fill' })
      .raw()
      .toBuffer();
  } catch (error) {
    throw broken(format, error);
  }
}

function broken(format: ImageFormat, cause: unknown): NotAnImage {
  const name = format === 'webp' ? 'WebP' : format.toUpperCase();
  return new NotAnImage(`expected a whole image, got a ${name} that is cut off or broken`, {
    cause,
  });
}
