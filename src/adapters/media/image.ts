/**
 * Is this an image that video models take? Judged by its bytes, never by its name or content type, and decoded
 * once to its last row, since a truncated file looks whole in its header. Only three formats reach the decoder: not those with
 * instructions to draw (SVG, PDF) or many variants (TIFF). Runs in a child.
 *
 * IMAGE-1 `openImage` makes every decoder, so that an image that passed the check can be used.
 * IMAGE-2 Pixels are counted from the header, before any is decoded.
 */
import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { kindOf } from './file-kind.js';
import { NotAnImage } from './media-failures.js';
import type { ImageFacts, ImageFormat, Inspected } from './protocol.js';

export const MIN_SIDE = 64;
export const MAX_PIXELS = 50_000_000;

/** A part fills at most the canvas of its composite, so that no more pixels are kept; a long strip is limited by its length. */
const KEPT_SHORT_SIDE = 1280;
const KEPT_LONG_SIDE = 4096;

// The cache helps only where an image is read twice.
sharp.cache(false);

const FORMATS: Readonly<Record<ImageFormat, string>> = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP' };

const isFormat = (format: string): format is ImageFormat => Object.hasOwn(FORMATS, format);

/** IMAGE-1. A decoder's warnings are ignored: files of many cameras cause some. `maxPixels` is the limit for one frame. */
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
    // Without a limit of pixels, so that the refusal can name the size.
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

/** IMAGE-2 */
function requireSize(width: number, height: number): void {
  const size = `${String(width)}×${String(height)}`;
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new NotAnImage(`expected at least ${String(MIN_SIDE)} pixels a side, got ${size}`);
  }
  if (width * height > MAX_PIXELS) {
    throw new NotAnImage(`expected at most ${String(MAX_PIXELS / 1e6)} megapixels, got ${size}`);
  }
}

/** To 16×16 pixels: every byte is decoded, little memory is used. */
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
