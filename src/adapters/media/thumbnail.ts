/** One frame of a video as a 320×180 JPEG, letterboxed. Native code decodes it, so this runs only in a child. */
import { registerMediabunnyServer } from '@mediabunny/server';
import { FilePathSource, Input, MP4, QTFF, VideoSampleSink } from 'mediabunny';
import type { InputVideoTrack } from 'mediabunny';
import { NotAVideo } from './media-failures.js';
import { jpegOf } from './jpeg.js';

/** 4K. A decoder keeps up to 16 frames, so that one of 8K takes the better part of a gigabyte. */
const MAX_PIXELS = 4096 * 2304;
const WIDTH = 320;
const HEIGHT = 180;

registerMediabunnyServer();

export async function thumbnailOf(file: string, at: number): Promise<Uint8Array> {
  const input = new Input({ source: new FilePathSource(file), formats: [MP4, QTFF] });
  try {
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw new NotAVideo('expected a video track, got none');
    const [width, height] = [await track.getCodedWidth(), await track.getCodedHeight()];
    if (width * height > MAX_PIXELS) {
      throw new NotAVideo(
        `expected at most ${String(MAX_PIXELS)} pixels a frame, got ${String(width)}×${String(height)}`,
      );
    }
    return await draw(track, at);
  } finally {
    input.dispose();
  }
}

async function draw(track: InputVideoTrack, at: number): Promise<Uint8Array> {
  const sink = new VideoSampleSink(track, { hardwareAcceleration: 'prefer-software' });
  const sample = (await sink.getSample(at)) ?? (await sink.getSample(0));
  if (sample === null) throw new NotAVideo('expected a picture, got none');
  try {
    // Made small before any pixel reaches JavaScript: a frame of 4K is 38 MB there.
    const small = await sample.transform({ width: WIDTH, height: HEIGHT, fit: 'contain' });
    try {
      return await jpegOf(small);
    } finally {
      small.close();
    }
  } finally {
    sample.close();
  }
}
