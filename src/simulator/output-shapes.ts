/** The shapes in which a finished prediction shows its file: one row each. Pure. */
import type { OutputShape } from './effects.js';

/** `inline`: the file itself, for shapes that hold it. */
interface ShownFile {
  url: string;
  inline: Uint8Array;
}

const base64 = (bytes: Uint8Array): string =>
  `data:video/mp4;codecs="avc1";base64,${Buffer.from(bytes).toString('base64')}`;

const escaped = (bytes: Uint8Array): string =>
  `data:video/mp4,${Buffer.from(bytes).toString('hex').replace(/../g, '%$&')}`;

export const SHAPES: Readonly<Record<OutputShape, (file: ShownFile) => unknown>> = {
  string: ({ url }) => url,
  array: ({ url }) => [url],
  object: ({ url }) => ({ file: url }),
  nested: ({ url }) => ({
    thumbnail: `${url}.jpg`,
    results: [{ index: 0, media: { preview: `${url}.webp`, video: { url, fps: 24 } } }],
  }),
  'among-others': ({ url }) => [`${url}.png`, `${url}.mp3`, url],
  data: ({ inline }) => base64(inline),
  'data-escaped': ({ inline }) => [{ video: escaped(inline) }],
  late: ({ url }) => url,
  odd: () => ({ frames: 120, note: 'look\u001b[31m at the gallery', still: 'still.png' }),
  text: () => 'The video was sent to your inbox.',
  none: () => null,
  empty: () => [],
};

export const holdsFile = (shape: OutputShape): boolean =>
  shape === 'data' || shape === 'data-escaped';
