/**
 * What a video file really is: measured with mediabunny (pure TypeScript, in this process), and a still
 * of it, decoded by native code in a child process, so that a hostile file can take down only that child.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EncodedPacketSink, FilePathSource, Input, MP4, QTFF } from 'mediabunny';
import { createTurns } from '../domain/turns.js';

export interface Measured {
  /** Seconds of the video track. */
  duration: number;
  width: number;
  height: number;
}

export interface Media {
  /** Throws a sentence when the file is not a whole, playable MP4 video. */
  measure(file: string): Promise<Measured>;
  /** A 320×180 JPEG, letterboxed. Throws when no picture can be had. */
  thumbnail(file: string, at: number): Promise<Uint8Array>;
}

export class NotAVideo extends Error {
  override readonly name = 'NotAVideo';
}

const CHILD_TIMEOUT = 20_000;
const MAX_JPEG_BYTES = 2 ** 20;

/** Built beside this file; tests that run the sources use the build's child. */
const childScript = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts')
      ? '../../dist/adapters/thumbnail-child.js'
      : './thumbnail-child.js',
    import.meta.url,
  ),
);

const run = promisify(execFile);

/** A batch that is stored together would start as many processes as it has clips, and all would be late. */
const inTurn = createTurns(availableParallelism());

export const media: Media = {
  async measure(file) {
    const input = new Input({ source: new FilePathSource(file), formats: [MP4, QTFF] });
    try {
      return await measureInput(input);
    } catch (error) {
      if (error instanceof NotAVideo) throw error;
      throw new NotAVideo(
        `expected an MP4 video, got something else (${error instanceof Error ? error.message : String(error)})`,
        { cause: error },
      );
    } finally {
      input.dispose();
    }
  },

  async thumbnail(file, at) {
    const { stdout } = await inTurn(() =>
      run(process.execPath, [childScript, file, String(at)], {
        encoding: 'buffer',
        timeout: CHILD_TIMEOUT,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_JPEG_BYTES,
      }),
    );
    if (stdout.length === 0) throw new NotAVideo('expected a picture, got none');
    return stdout;
  },
};

async function measureInput(input: Input): Promise<Measured> {
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new NotAVideo('expected a video track, got none');
  // The container's duration may be the sound's; a fragmented file may start late.
  const duration = (await track.computeDuration()) - (await track.getFirstTimestamp());
  // A file cut after its index looks whole until its last packet is asked for.
  const last = await new EncodedPacketSink(track).getPacket(Infinity);
  if (last === null) throw new NotAVideo('expected a whole file, got one that is cut off');
  return {
    duration: Math.round(duration * 1000) / 1000,
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
  };
}
