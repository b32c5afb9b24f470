/** One key press, without Enter. The terminal is put back as it was. */
import type { ReadStream } from 'node:tty';

/** Null when the time is up or the question is taken back. Ctrl-C comes as '\u0003', not as a signal. */
export function readKey(
  input: ReadStream,
  patience: number,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const done = (key: string | null): void => {
      clearTimeout(timer);
      input.off('data', onData);
      signal.removeEventListener('abort', onAbort);
      input.setRawMode(false);
      input.pause();
      resolve(key);
    };
    const onData = (data: Buffer | string): void => {
      done(data.toString());
    };
    const onAbort = (): void => {
      done(null);
    };
    const timer = setTimeout(onAbort, patience);
    input.setRawMode(true);
    input.resume();
    input.on('data', onData);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
