/**
 * Looking into foreign files: what a video really is, a still of it, whether an image is one, several images made
 * into one. The only door to all of it; the work itself is done by child processes with limits of time and memory,
 * so that a hostile file can take down only such a child. Loads no decoder and no parser of media.
 */
import type { CompositeParts } from './composite.js';
import { createPool } from './pool.js';
import type { Pool } from './pool.js';
import type { Inspected, Measured } from './protocol.js';

export type { Inspected, Measured } from './protocol.js';
export { BadPart, ChildLost, NotAnImage, NotAVideo, TooMuch } from './media-failures.js';

export interface Media {
  /** Throws NotAVideo with a sentence when the file is not a whole, playable MP4 video; TooMuch, ChildLost. */
  measure(file: string): Promise<Measured>;
  /** A 320×180 JPEG, letterboxed. Throws when no picture can be had. */
  thumbnail(file: string, at: number): Promise<Uint8Array>;
  /** Says that videos will come, until it is disposed of: the first of them finds everything loaded. */
  expect(): Disposable;
}

/** Each of these may take hundreds of megabytes: callers run one at a time. */
export interface Images {
  /** Throws NotAnImage with a sentence; TooMuch, ChildLost. `keep`: also as small as a composite needs it. */
  inspect(bytes: Uint8Array, keep: boolean): Promise<Inspected>;
  /** A JPEG. Throws BadPart, which says which image is at fault; TooMuch, ChildLost. */
  compose(parts: CompositeParts): Promise<Uint8Array>;
}

export const mediaOf = (pool: Pool): Media & Images => ({
  measure: (file) => pool.run('measure', { file }),
  thumbnail: (file, at) => pool.run('thumbnail', { file, at }),
  expect: () => pool.expect(),
  inspect: (bytes, keep) => pool.run('inspect', { bytes, keep }),
  compose: (parts) => pool.run('compose', parts),
});

const pool = createPool();

/** Of this process; it starts no child before the first task, or before one is expected. */
export const media: Media & Images = mediaOf(pool);

/** Ends the children of this process, and resolves when they are gone. */
export const endMediaChildren = (): Promise<void> => pool.close();
