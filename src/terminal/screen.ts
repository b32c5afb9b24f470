/**
 * A part of the terminal that is painted over and over: lines in, ANSI out. Owns the cursor and puts it back;
 * other output meanwhile (logs on stderr) goes above the picture instead of through it.
 *
 * SCREEN-1 after `close` the cursor is visible and below the last picture, however the process ends.
 */
import type { WriteStream } from 'node:tty';
import type { Size } from './frame.js';
import { paint } from './span.js';
import type { Line } from './span.js';

interface Screen {
  readonly size: Size;
  paint(lines: readonly Line[]): void;
  /** A line that stays, above the picture. */
  say(text: string): void;
  /** The last picture stays on the screen. */
  close(): void;
}

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_REST = '\u001b[K';
const USUAL: Size = { columns: 80, rows: 24 };

export function openScreen(output: WriteStream, onResize: () => void): Screen {
  const colour = output.hasColors();
  let painted: readonly Line[] = [];
  let open = true;

  const toTop = (): string => (painted.length === 0 ? '\r' : `\r\u001b[${String(painted.length)}A`);
  const picture = (): string =>
    painted.map((line) => `${paint(line, colour)}${CLEAR_REST}\n`).join('');
  const above = (text: string): void => {
    const lines = text.endsWith('\n') ? text : `${text}\n`;
    output.write(open ? `${toTop()}${CLEAR_BELOW}${lines}${picture()}` : lines);
  };
  const showCursor = (): void => {
    if (open) output.write(SHOW);
  };
  const resized = (): void => {
    // Old lines may have been wrapped by the terminal: their number is unknown, so a clean sheet.
    output.write('\u001b[2J\u001b[H');
    painted = [];
    onResize();
  };
  const restoreStderr = divertStderr(above);
  process.once('exit', showCursor); // SCREEN-1
  output.on('resize', resized);
  output.write(HIDE);

  return {
    get size() {
      // A terminal that does not know its size says 0.
      return { columns: output.columns || USUAL.columns, rows: output.rows || USUAL.rows };
    },
    paint(lines) {
      const top = toTop();
      painted = lines;
      output.write(`${top}${picture()}${CLEAR_BELOW}`);
    },
    say: above,
    close() {
      if (!open) return;
      restoreStderr();
      output.off('resize', resized);
      process.off('exit', showCursor);
      output.write(SHOW);
      open = false;
    },
  };
}

/** Logs of the embedded parts come by stderr, often the same terminal. */
function divertStderr(write: (text: string) => void): () => void {
  if (!process.stderr.isTTY) return () => undefined;
  const original = process.stderr.write.bind(process.stderr);
  process.stderr.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = rest.find((part) => typeof part === 'function') as (() => void) | undefined;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  return () => {
    process.stderr.write = original;
  };
}
