/** Measures a video file with mediabunny. Runs in a child: a few bytes can claim billions of samples. */
import { stat } from 'node:fs/promises';
import { EncodedPacketSink, FilePathSource, Input, MP4, QTFF } from 'mediabunny';
import { errorMessage } from '../../domain/values/error-message.js';
import { NotAVideo } from './media-failures.js';
import type { Measured } from './protocol.js';

/** The limit of downloads too. */
const MAX_BYTES = 512 * 2 ** 20;

/** Throws NotAVideo with a sentence. */
export async function measureFile(file: string): Promise<Measured> {
  const { size } = await stat(file);
  if (size > MAX_BYTES) {
    throw new NotAVideo(`expected at most ${String(MAX_BYTES)} bytes, got ${String(size)}`);
  }
  const input = new Input({ source: new FilePathSource(file), formats: [MP4, QTFF] });
  try {
    return await measureInput(input);
  } catch (error) {
    if (error instanceof NotAVideo) throw error;
    throw new NotAVideo(`expected an MP4 video, got something else (${errorMessage(error)})`, {
      cause: error,
    });
  } finally {
    input.dispose();
  }
}

async function measureInput(input: Input): Promise<Measured> {
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new NotAVideo('expected a video track, got none');
  // The container's duration may be the sound's; a fragmented file may start late.
  const duration = (await track.computeDuration()) - (await track.getFirstTimestamp());
  // A file that is cut off after its index looks whole until its last packet is read.
  const last = await new EncodedPacketSink(track).getPacket(Infinity);
  if (last === null) throw new NotAVideo('expected a whole file, got one that is cut off');
  return {
    duration: Math.round(duration * 1000) / 1000,
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
  };
}
