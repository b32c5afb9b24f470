/**
 * One start image of several: the scene as background at the target ratio, characters and objects side by side in
 * its lower half, standing on its bottom edge. A picture with a background of its own gets soft edges, so that the
 * model sees somebody in a place instead of a card on a wall; a cut-out keeps its outline. Bytes in, a JPEG out.
 */
import sharp from 'sharp';
import type { OverlayOptions } from 'sharp';

export interface CompositeParts {
  /** `16:9` */
  aspect_ratio: string;
  scene: Uint8Array;
  characters: readonly Uint8Array[];
  objects: readonly Uint8Array[];
}

const LONG_SIDE = 1280;
/** Shares of the canvas. */
const CHARACTER_HEIGHT = 0.5;
const OBJECT_HEIGHT = 0.25;
const ROW_WIDTH = 0.92;
const GAP = 0.02;
/** Share of a figure's shorter side that fades. */
const FADE = 0.08;

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

export async function buildComposite(parts: CompositeParts): Promise<Uint8Array> {
  const canvas = canvasOf(parts.aspect_ratio);
  const figures = await Promise.all([
    ...parts.characters.map((bytes) => measure(bytes, canvas.height * CHARACTER_HEIGHT)),
    ...parts.objects.map((bytes) => measure(bytes, canvas.height * OBJECT_HEIGHT)),
  ]);
  const overlays = await Promise.all(inARow(figures, canvas).map(draw));
  return sharp(parts.scene)
    .autoOrient()
    .resize(canvas.width, canvas.height, { fit: 'cover', position: 'centre' })
    .flatten({ background: '#000' })
    .composite(overlays)
    .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

async function measure(bytes: Uint8Array, height: number): Promise<Figure> {
  const image = sharp(bytes);
  const { autoOrient } = await image.metadata();
  const isCutOut = !(await image.stats()).isOpaque;
  return { bytes, isCutOut, height, width: (height * autoOrient.width) / autoOrient.height };
}

interface Placed extends Figure {
  left: number;
  top: number;
}

/** Centred, on the bottom edge; a row that is too wide shrinks as a whole. */
function inARow(figures: readonly Figure[], canvas: Size): Placed[] {
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
  const image = sharp(bytes).autoOrient().resize(width, height, { fit: 'fill' }).ensureAlpha();
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
