/**
 * One start image made of several: the scene as background at the target ratio, characters and objects side by side in
 * its lower half, standing on its bottom edge. A picture with a background of its own gets soft edges, so that the
 * model sees a person in a place and not a card on a wall; a cut-out keeps its outline. Bytes in, a JPEG out.
 *
 * COMPOSITE-1 One image is decoded at a time. Their pixels are limited in sum, and counted before the first is decoded.
 * COMPOSITE-2 An error names the image at fault (BadPart).
 */
import type { OverlayOptions } from 'sharp';
import { openImage } from './image.js';
import { errorMessage } from '../../domain/values/error-message.js';
import { BadPart } from './media-failures.js';
import type { CompositeParts } from './protocol.js';

const LONG_SIDE = 1280;
/** Shares of the canvas. */
const CHARACTER_HEIGHT = 0.5;
const OBJECT_HEIGHT = 0.25;
const ROW_WIDTH = 0.92;
const GAP = 0.02;
/** Share of a figure's shorter side that fades. */
const FADE = 0.08;

/** Of all images together: enough for two dozen kept ones. */
const MAX_PIXELS = 100_000_000;

interface Size {
  width: number;
  height: number;
}

interface Figure extends Size {
  bytes: Uint8Array;
  isCutOut: boolean;
}

const even = (length: number): number => Math.max(2, Math.round(length / 2) * 2);

export function canvasOf(aspectRatio: string): Size {
  const [across = 16, down = 9] = aspectRatio.split(':').map(Number);
  const ratio = across / down;
  return ratio >= 1
    ? { width: LONG_SIDE, height: even(LONG_SIDE / ratio) }
    : { width: even(LONG_SIDE * ratio), height: LONG_SIDE };
}

/** Throws BadPart. */
export async function buildComposite(parts: CompositeParts): Promise<Uint8Array> {
  const canvas = canvasOf(parts.aspect_ratio);
  const { scene, characters, objects } = parts;
  await requireFewPixels([scene, ...characters, ...objects]);
  const figures: Figure[] = [];
  for (const [place, bytes] of [...characters, ...objects].entries()) {
    const share = place < characters.length ? CHARACTER_HEIGHT : OBJECT_HEIGHT;
    figures.push(await ofPart(place + 1, () => measure(bytes, canvas.height * share)));
  }
  const overlays: OverlayOptions[] = [];
  for (const [place, figure] of inOneRow(figures, canvas).entries()) {
    overlays.push(await ofPart(place + 1, () => draw(figure)));
  }
  return ofPart(0, () =>
    openImage(scene)
      .autoOrient()
      .resize(canvas.width, canvas.height, { fit: 'cover', position: 'centre' })
      .flatten({ background: '#000' })
      .composite(overlays)
      .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
      .toBuffer(),
  );
}

/** COMPOSITE-1 */
async function requireFewPixels(images: readonly Uint8Array[]): Promise<void> {
  let pixels = 0;
  for (const [index, bytes] of images.entries()) {
    const { width, height } = await ofPart(index, () => openImage(bytes).metadata());
    pixels += width * height;
    if (pixels > MAX_PIXELS) {
      const most = String(MAX_PIXELS / 1e6);
      throw new BadPart(index, `expected at most ${most} megapixels in all images of a composite`);
    }
  }
}

/** COMPOSITE-2 */
async function ofPart<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = `expected an image that can be composed, got one that cannot: ${errorMessage(error)}`;
    throw new BadPart(index, message, { cause: error });
  }
}

async function measure(bytes: Uint8Array, height: number): Promise<Figure> {
  const { autoOrient } = await openImage(bytes).metadata();
  const isCutOut = !(await openImage(bytes).stats()).isOpaque;
  return { bytes, isCutOut, height, width: (height * autoOrient.width) / autoOrient.height };
}

interface Placed extends Figure {
  left: number;
  top: number;
}

/** Centred, on the bottom edge; a row that is too wide is scaled down as a whole. */
function inOneRow(figures: readonly Figure[], canvas: Size): Placed[] {
  const gap = canvas.width * GAP;
  const wide = figures.reduce((sum, { width }) => sum + width, 0) + gap * (figures.length - 1);
  const scale = Math.min(1, (canvas.width * ROW_WIDTH) / wide);
  let left = (canvas.width - wide * scale) / 2;
  return figures.map((figure) => {
    const width = Math.max(1, Math.round(figure.width * scale));
    const height = Math.max(1, Math.round(figure.height * scale));
    const placed = {
      ...figure,
      width,
      height,
      left: Math.round(left),
      top: canvas.height - height,
    };
    left += (figure.width + gap) * scale;
    return placed;
  });
}

async function draw({
  bytes,
  isCutOut,
  width,
  height,
  left,
  top,
}: Placed): Promise<OverlayOptions> {
  const image = openImage(bytes).autoOrient().resize(width, height, { fit: 'fill' }).ensureAlpha();
  if (isCutOut) return { input: await image.png().toBuffer(), left, top };
  const pixels = await image.toColourspace('srgb').raw().toBuffer();
  fadeEdges(pixels, { width, height });
  return { input: pixels, raw: { width, height, channels: 4 }, left, top };
}

/** Left, right and top fade out; the bottom stands on the edge of the canvas. */
function fadeEdges(pixels: Buffer, { width, height }: Size): void {
  const fade = Math.max(1, Math.min(width, height) * FADE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = Math.min(x + 1, width - x, y + 1) / fade;
      if (inside >= 1) continue;
      pixels[(y * width + x) * 4 + 3] = Math.round(255 * inside * inside * (3 - 2 * inside));
    }
  }
}
