/**
 * Pictures as encoders want them: planar I420 in plain arithmetic (BT.601, limited range). Pure; it knows
 * nothing of text, files or time.
 */

export interface Size {
  width: number;
  height: number;
}
interface Rectangle extends Size {
  left: number;
  top: number;
}
/** Red, green and blue from 0 to 255. */
export type Colour = readonly [number, number, number];

const i420Bytes = ({ width, height }: Size): number => (width * height * 3) / 2;

const luma = (r: number, g: number, b: number): number =>
  16 + ((66 * r + 129 * g + 25 * b + 128) >> 8);
const chromaBlue = (r: number, g: number, b: number): number =>
  128 + ((-38 * r - 74 * g + 112 * b + 128) >> 8);
const chromaRed = (r: number, g: number, b: number): number =>
  128 + ((112 * r - 94 * g - 18 * b + 128) >> 8);

/** Width and height have to be even: chroma is stored once for four pixels (the upper left one counts). */
export function toI420(rgb: Uint8Array, { width, height }: Size): Uint8Array {
  const planes = new Uint8Array(i420Bytes({ width, height }));
  const blueAt = width * height;
  const redAt = blueAt + blueAt / 4;
  for (let y = 0, pixel = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, pixel += 1) {
      const r = rgb[pixel * 3] ?? 0;
      const g = rgb[pixel * 3 + 1] ?? 0;
      const b = rgb[pixel * 3 + 2] ?? 0;
      planes[pixel] = luma(r, g, b);
      if (((x | y) & 1) === 1) continue;
      const chroma = (y / 2) * (width / 2) + x / 2;
      planes[blueAt + chroma] = chromaBlue(r, g, b);
      planes[redAt + chroma] = chromaRed(r, g, b);
    }
  }
  return planes;
}

/** Paints in place; edges are rounded to even pixels and clipped to the picture. */
export function fill(planes: Uint8Array, size: Size, area: Rectangle, [r, g, b]: Colour): void {
  const even = (value: number, most: number): number =>
    Math.max(0, Math.min(most, Math.round(value / 2) * 2));
  const left = even(area.left, size.width);
  const right = even(area.left + area.width, size.width);
  const top = even(area.top, size.height);
  const bottom = even(area.top + area.height, size.height);
  if (right <= left) return;
  const rows = (start: number, stride: number, scale: number, value: number): void => {
    for (let y = top / scale; y < bottom / scale; y += 1) {
      const row = start + y * stride;
      planes.fill(value, row + left / scale, row + right / scale);
    }
  };
  const blueAt = size.width * size.height;
  rows(0, size.width, 1, luma(r, g, b));
  rows(blueAt, size.width / 2, 2, chromaBlue(r, g, b));
  rows(blueAt + blueAt / 4, size.width / 2, 2, chromaRed(r, g, b));
}
