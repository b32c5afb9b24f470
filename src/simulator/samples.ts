/** Pictures to refer to, so that image-to-video can be tried without finding one: drawn when first wanted. */
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { drawBackdrop, paletteOf } from './clip/backdrop.js';
import type { Core } from './core.js';
import { PROBLEMS } from './refusals.js';
import { sendBytes } from './send-bytes.js';
import { exchangeOf, sendAnswer } from './exchange.js';

const SAMPLES: Readonly<Record<string, { caption: string; width: number; height: number }>> = {
  scene: { caption: 'Scene', width: 1280, height: 720 },
  character: { caption: 'Character', width: 768, height: 1024 },
  'character-2': { caption: 'Second character', width: 768, height: 1024 },
  object: { caption: 'Object', width: 800, height: 800 },
};

const FORMATS: Readonly<Record<string, 'jpeg' | 'png'>> = { jpg: 'jpeg', jpeg: 'jpeg', png: 'png' };

export function sampleRoutes(app: FastifyInstance, core: Core): void {
  const drawn = new Map<string, Promise<Buffer>>();
  app.get<{ Params: { file: string } }>('/samples/:file', async (request, reply) => {
    const [name = '', ending = ''] = request.params.file.split('.');
    const format = Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined;
    if (!Object.hasOwn(SAMPLES, name) || format === undefined) {
      sendAnswer(exchangeOf(core, request, reply), PROBLEMS.not_found);
      return reply;
    }
    const key = `${name}.${format}`;
    const picture = drawn.get(key) ?? draw(name, format);
    drawn.set(key, picture);
    const bytes = await picture;
    return sendBytes(request, reply, { bytes, etag: `"sample-${key}"`, type: `image/${format}` });
  });
}

async function draw(name: string, format: 'jpeg' | 'png'): Promise<Buffer> {
  const { caption, ...size } = SAMPLES[name] ?? { caption: name, width: 640, height: 640 };
  const pixels = await drawBackdrop(caption, paletteOf(`sample ${name}`), size);
  return sharp(pixels, { raw: { ...size, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}
