/**
 * A process of its own: decodes one frame of a file (argv: path, seconds) and writes a 320×180 JPEG to stdout. Whoever
 * started it may be killed and can then not end it, so it lives for half a minute at most.
 */
import { registerMediabunnyServer } from '@mediabunny/server';
import { FilePathSource, Input, MP4, QTFF, VideoSampleSink } from 'mediabunny';
import sharp from 'sharp';

setTimeout(() => process.exit(1), 30_000).unref();

const [file = '', at = '0'] = process.argv.slice(2);

registerMediabunnyServer();
const input = new Input({ source: new FilePathSource(file), formats: [MP4, QTFF] });
const track = await input.getPrimaryVideoTrack();
if (track === null) throw new Error('no video track');
const sink = new VideoSampleSink(track, { hardwareAcceleration: 'prefer-software' });
const sample = (await sink.getSample(Number(at))) ?? (await sink.getSample(0));
if (sample === null) throw new Error('no frame');
// The ambient type of the options predates `format`.
const rgba = { format: 'RGBA' } as VideoFrameCopyToOptions;
const pixels = Buffer.alloc(sample.allocationSize(rgba));
await sample.copyTo(pixels, rgba);
const raw = { width: sample.displayWidth, height: sample.displayHeight, channels: 4 } as const;
sample.close();
input.dispose();
const jpeg = await sharp(pixels, { raw })
  .resize(320, 180, { fit: 'contain', background: '#000' })
  .flatten()
  .jpeg({ quality: 80 })
  .toBuffer();
process.stdout.write(jpeg, () => process.exit(0));
