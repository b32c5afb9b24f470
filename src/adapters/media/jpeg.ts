/**
 * Encodes a video sample as a JPEG with the FFmpeg that has decoded it. Sharp would be one more library in the child: 12 MB, and
 * 0.09 s of processor time at its start.
 */
import { toAvFrame } from '@mediabunny/server';
import type { VideoSample } from 'mediabunny';
import type { AVPixelFormat } from 'node-av/constants';
import {
  AV_CODEC_FLAG_QSCALE,
  AV_CODEC_ID_MJPEG,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  FF_QP2LAMBDA,
  SWS_BILINEAR,
} from 'node-av/constants';
import {
  Codec,
  CodecContext,
  FFmpegError,
  Frame,
  Packet,
  Rational,
  SoftwareScaleContext,
} from 'node-av/lib';

/** From 2, the best, to 31. */
const QUALITY = 3 * FF_QP2LAMBDA;

export async function jpegOf(sample: VideoSample): Promise<Uint8Array> {
  using decoded = new Frame();
  decoded.alloc();
  await toAvFrame(sample, decoded);
  using frame = await inJpegFormat(decoded);
  // Awaited: both frames have to exist until it is done.
  return await encode(frame);
}

/** Planes of full range, half as many of colour each way. */
async function inJpegFormat(decoded: Frame): Promise<Frame> {
  const { width, height } = decoded;
  const frame = new Frame();
  frame.alloc();
  Object.assign(frame, { width, height, format: AV_PIX_FMT_YUVJ420P, quality: QUALITY, pts: 0n });
  frame.allocBuffer();
  const scaler = new SoftwareScaleContext();
  scaler.getContext(
    ...([width, height, decoded.format as AVPixelFormat] as const),
    ...([width, height, AV_PIX_FMT_YUVJ420P, SWS_BILINEAR] as const),
  );
  try {
    FFmpegError.throwIfError(await scaler.scaleFrame(frame, decoded), 'scale');
    return frame;
  } catch (error) {
    frame.free();
    throw error;
  } finally {
    scaler.freeContext();
  }
}

async function encode(frame: Frame): Promise<Uint8Array> {
  const codec = Codec.findEncoder(AV_CODEC_ID_MJPEG);
  if (codec === null) throw new Error('expected an encoder of JPEG, got none');
  using encoder = new CodecContext();
  encoder.allocContext3(codec);
  Object.assign(encoder, {
    width: frame.width,
    height: frame.height,
    pixelFormat: AV_PIX_FMT_YUVJ420P,
    colorRange: AVCOL_RANGE_JPEG,
    timeBase: new Rational(1, 1),
    flags: AV_CODEC_FLAG_QSCALE,
    globalQuality: QUALITY,
    threadCount: 1,
  });
  FFmpegError.throwIfError(await encoder.open2(codec, null), 'open');
  FFmpegError.throwIfError(await encoder.sendFrame(frame), 'send');
  using packet = new Packet();
  packet.alloc();
  FFmpegError.throwIfError(await encoder.receivePacket(packet), 'receive');
  if (packet.data === null) throw new Error('expected a JPEG, got no bytes');
  // A copy: the packet's memory goes with it.
  return Uint8Array.from(packet.data);
}
