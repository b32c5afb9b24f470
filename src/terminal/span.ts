/**
 * Lines of styled text: what the pure drawing code returns and the screen paints. A line never wraps,
 * because one wrapped line would spoil every repaint after it.
 */
import { truncate, widthOf } from './format.js';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Span {
  text: string;
  style?: Style;
}
export type Line = readonly Span[];

const CODES: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export const span = (text: string, style?: Style): Span =>
  style === undefined ? { text } : { text, style };

export const plainText = (line: Line): string => line.map(({ text }) => text).join('');

/** The line cut to `width` columns. */
export function fit(line: Line, width: number): Line {
  const fitted: Span[] = [];
  let left = width;
  for (const part of line) {
    const columns = widthOf(part.text);
    if (columns <= left) {
      fitted.push(part);
      left -= columns;
      continue;
    }
    fitted.push({ ...part, text: truncate(part.text, left) });
    break;
  }
  return fitted;
}

export const paint = (line: Line, colour: boolean): string =>
  line
    .map(({ text, style }) =>
      colour && style !== undefined && text !== ''
        ? `\u001b[${String(CODES[style])}m${text}\u001b[0m`
        : text,
    )
    .join('');
