/**
 * Reading files from outside: measures videos, makes thumbnails, checks images, composes several images into one. The only entry
 * to this work, which child processes with limits of time and memory do, so that a hostile file can crash only such a
 * child. Loads no decoder and no parser of media.
 */
import { createPool } from './pool.js';
import type { Pool } from './pool.js';
import type { CompositeParts, Inspected, Measured } from './protocol.js';

export type { CompositeParts, Inspected, Measured } from './protocol.js';
export { BadPart, ChildLost, NotAnImage, NotAVideo, TooMuch } from './media-failures.js';

export interface Media {
  /** Throws NotAVideo with a sentence when the file is not a whole, playable MP4 video; TooMuch, ChildLost. */
  measure(file: string): Promise<Measured>;
  /** A 320×180 JPEG, letterboxed. Throws when no frame can be decoded. */
  thumbnail(file: string, at: number): Promise<Uint8Array>;
  /** Until it is disposed of, one child is kept ready for videos. */
  expect(): Disposable;
}

/** Each of these may take hundreds of megabytes: callers run one at a time. */
export interface Images {
  /** Throws NotAnImage with a sentence; TooMuch, ChildLost. `keep`: also scales the image down to what a composite needs. */
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

/** Of this process. The first child is started with the first task, or when videos are expected. */
export const media: Media & Images = mediaOf(pool);

/** Ends the children of this process, and resolves when they have ended. */
export const endMediaChildren = (): Promise<void> => pool.close();
