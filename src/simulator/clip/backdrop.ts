/**
 * The still part of a simulated clip: colours that follow from its text, the text itself, and the word
 * SIMULATED, so that no clip is ever mistaken for a paid one or for another clip.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import sharp from 'sharp';
import type { Colour, Size } from './frames.js';

// Only a .ttf works where the system has no fonts.
const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');

interface Palette {
  from: Colour;
  to: Colour;
  accent: Colour;
}

/** Two hues a third of the circle apart and a bright one, chosen by the text. */
export function paletteOf(text: string): Palette {
  const hash = createHash('sha256').update(text).digest();
  const hue = (hash.readUInt16BE(0) / 65_536) * 360;
  return {
    from: hueToColour(hue, 0.38),
    to: hueToColour(hue + 120, 0.26),
    accent: hueToColour(hue + 200 + (hash[2] ?? 0) / 4, 0.62),
  };
}

/** HSL with a saturation of 0.7, after the formula of CSS Color 4. */
function hueToColour(hue: number, lightness: number): Colour {
  const reach = 0.7 * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

const rgb = ([r, g, b]: Colour): string => `rgb(${String(r)},${String(g)},${String(b)})`;

const escapeMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

// Characters that no text layout draws make the whole layout fail.
// eslint-disable-next-line no-control-regex -- they are what it is for
const CONTROL = /[\u0000-\u001f\u007f\ufffe\uffff]+/g;

const plainText = (text: string, most: number): string => {
  const clean = text
    .replace(CONTROL, ' ')
    .replace(/\p{Surrogate}/gu, '?')
    .trim();
  // Cut between characters, not within one.
  const letters = Array.from(clean);
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : clean;
};

/** RGB pixels, three bytes each. */
export async function drawBackdrop(
  caption: string,
  palette: Palette,
  size: Size,
): Promise<Uint8Array> {
  const { width, height } = size;
  const gradient = `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="${rgb(palette.from)}"/><stop offset="1" stop-color="${rgb(palette.to)}"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/></svg>`;
  const margin = Math.round(width * 0.06);
  const label = await drawText('SIMULATED', width * 0.4, height * 0.09, '#e8e8e8');
  const text = plainText(caption, 140);
  const body =
    text === '' ? null : await drawText(text, width - 2 * margin, height * 0.42, '#ffffff');
  return sharp(Buffer.from(gradient))
    .composite([
      { input: label, left: margin, top: Math.round(height * 0.08) },
      ...(body === null ? [] : [{ input: body, left: margin, top: Math.round(height * 0.24) }]),
    ])
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
}

/** A PNG at most that large. */
async function drawText(
  text: string,
  width: number,
  height: number,
  colour: string,
): Promise<Buffer> {
  const box = { width: Math.max(8, Math.round(width)), height: Math.max(8, Math.round(height)) };
  const drawn = await sharp({
    text: {
      text: `<span foreground="${colour}">${escapeMarkup(text)}</span>`,
      font: 'DejaVu Sans Bold',
      fontfile: FONT,
      rgba: true,
      wrap: 'word-char',
      ...box,
    },
  })
    .png()
    .toBuffer();
  return sharp(drawn)
    .resize({ ...box, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();
}
