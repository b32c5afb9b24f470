/**
 * Is this an image that video models take? Judged by its bytes, never by its name or content type, and decoded
 * once to its last row, since a file that is cut off looks whole in its header. Only three formats reach the
 * decoder at all: what draws (SVG, PDF) or has many faces (TIFF) stays outside. Runs in a child.
 *
 * Im1 `openImage` makes every decoder, so that what was found good at the check is good when it is used.
 * Im2 Pixels are counted from the header, before any is decoded.
 */
import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { kindOf } from './file-kind.js';
import { NotAnImage } from './media-failures.js';
import type { Inspected } from './protocol.js';

export { NotAnImage } from './media-failures.js';

export interface ImageFacts {
  format: ImageFormat;
  width: number;
  height: number;
}

export type ImageFormat = 'jpeg' | 'png' | 'webp';

export const MIN_SIDE = 64;
export const MAX_PIXELS = 50_000_000;

/** A part of a composite fills at most its canvas; a long strip keeps no more than it needs of its length. */
const KEPT_SHORT_SIDE = 1280;
const KEPT_LONG_SIDE = 4096;

// Memory for speed that is of no use to a task which sees each image once.
sharp.cache(false);

const FORMATS: Readonly<Record<ImageFormat, string>> = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP' };

const isFormat = (format: string): format is ImageFormat => Object.hasOwn(FORMATS, format);

/** Im1. Warnings of a decoder are none: files of many cameras have them. `maxPixels` is what a frame may have. */
export const openImage = (bytes: Uint8Array, maxPixels: number | false = MAX_PIXELS): Sharp =>
  sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true });

/** Throws NotAnImage with a sentence. */
export async function inspectImage(bytes: Uint8Array): Promise<ImageFacts> {
  const { kept: _, ...facts } = await inspectAndKeep(bytes, false);
  return facts;
}

/** As `inspectImage`; `keep`: with the image upright, in sRGB, and no larger than a composite can use. */
export async function inspectAndKeep(bytes: Uint8Array, keep: boolean): Promise<Inspected> {
  const { format, name } = kindOf(bytes);
  if (!isFormat(format)) {
    throw new NotAnImage(`expected a JPEG, PNG or WebP image, got ${name}`);
  }
  try {
    // No limit of pixels: what is over it shall be told with its size.
    const header = await openImage(bytes, false).metadata();
    const { width, height } = header;
    requireSize(width, height);
    const kept = await (keep ? shrink(bytes, header) : decode(bytes));
    return { format, width, height, kept };
  } catch (error) {
    if (error instanceof NotAnImage) throw error;
    throw new NotAnImage(
      `expected a whole image, got a ${FORMATS[format]} that is cut off or broken`,
      { cause: error },
    );
  }
}

/** Im2 */
function requireSize(width: number, height: number): void {
  const size = `${String(width)}×${String(height)}`;
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new NotAnImage(`expected at least ${String(MIN_SIDE)} pixels a side, got ${size}`);
  }
  if (width * height > MAX_PIXELS) {
    throw new NotAnImage(`expected at most ${String(MAX_PIXELS / 1e6)} megapixels, got ${size}`);
  }
}

/** To a handful of pixels: every byte is read, little is kept. */
async function decode(bytes: Uint8Array): Promise<null> {
  await openImage(bytes).resize(16, 16, { fit: 'fill' }).raw().toBuffer();
  return null;
}

async function shrink(
  bytes: Uint8Array,
  { autoOrient: { width, height }, hasAlpha }: Metadata,
): Promise<Uint8Array> {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const scale = Math.min(1, KEPT_LONG_SIDE / long, KEPT_SHORT_SIDE / short);
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  const image = openImage(bytes)
    .autoOrient()
    .resize(side(width), side(height), { fit: 'fill' })
    .toColourspace('srgb');
  return hasAlpha
    ? image.png({ compressionLevel: 3 }).toBuffer()
    : image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
}
