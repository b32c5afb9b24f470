/**
 * Makes one real H.264 MP4: the backdrop, a box that wanders over it and a bar that fills up, exactly as long
 * as asked. The encoder is loaded with the first clip; a simulator that renders nothing never loads it.
 */
import { drawBackdrop, paletteOf } from './backdrop.js';
import type * as mediabunnyTypes from 'mediabunny';
import { fill, toI420, type Size } from './frames.js';

export interface ClipRequest extends Size {
  caption: string;
  /** Chooses the colours; differs between clips with the same caption. */
  seed: string;
  duration: number;
  fps: number;
}

let registered = false;

async function encoder(): Promise<typeof mediabunnyTypes> {
  const [mediabunny, server] = await Promise.all([
    import('mediabunny'),
    import('@mediabunny/server'),
  ]);
  if (!registered) server.registerMediabunnyServer();
  registered = true;
  return mediabunny;
}

export async function encodeClip(request: ClipRequest): Promise<Uint8Array> {
  const media = await encoder();
  const size = { width: request.width, height: request.height };
  const palette = paletteOf(request.seed);
  const still = toI420(await drawBackdrop(request.caption, palette, size), size);
  const target = new media.BufferTarget();
  const output = new media.Output({
    format: new media.Mp4OutputFormat({ fastStart: 'in-memory' }),
    target,
  });
  const source = new media.VideoSampleSource({
    codec: 'avc',
    quality: new media.Quality({ bitrate: Math.round(size.width * size.height * 1.7) }),
    keyFrameInterval: 1,
    latencyMode: 'realtime',
    hardwareAcceleration: 'prefer-software',
  });
  // Without a frame rate the last sample may be shorter, and 6.25 s at 30 fps stays 6.25 s.
  output.addVideoTrack(source);
  await output.start();
  const frames = Math.ceil(request.duration * request.fps - 1e-6);
  for (let frame = 0; frame < frames; frame += 1) {
    const planes = drawFrame(still, size, frame / frames, palette.accent);
    const timestamp = frame / request.fps;
    const sample = new media.VideoSample(planes, {
      format: 'I420',
      codedWidth: size.width,
      codedHeight: size.height,
      timestamp,
      duration: Math.min(1 / request.fps, request.duration - timestamp),
    });
    await source.add(sample);
    sample.close();
  }
  await output.finalize();
  if (target.buffer === null) throw new Error('expected an encoded clip, got no bytes');
  return new Uint8Array(target.buffer);
}

function drawFrame(
  still: Uint8Array,
  size: Size,
  share: number,
  accent: readonly [number, number, number],
): Uint8Array {
  // A copy for every frame: the encoder may still be reading the last one.
  const planes = still.slice();
  const box = Math.round(Math.min(size.width, size.height) / 6);
  const left = (size.width - box) * (0.5 - 0.5 * Math.cos(share * 2 * Math.PI));
  const top = size.height * 0.8 + size.height * 0.05 * Math.sin(share * 6 * Math.PI) - box / 2;
  fill(planes, size, { left, top, width: box, height: box }, accent);
  const bar = { left: 0, top: size.height - 10, width: size.width * share, height: 10 };
  fill(planes, size, bar, [255, 255, 255]);
  return planes;
}
