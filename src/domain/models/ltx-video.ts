/**
 * Lightricks: LTX-Video with six lengths in frames at 24 a second, a community model whose output is a list; and its official
 * successor, LTX 2.5 Fast, with lengths in seconds.
 */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  endNeedsStart,
  flag,
  FPS_24,
  image,
  inSeconds,
  integer,
  NO_SEED,
  oneOf,
  perRunSecond,
  readOn,
  requiredText,
  text,
  USUAL,
} from './shared.js';

const FRAMES = [97, 129, 161, 193, 225, 257];
const SIZES = [512, 576, 640, 704, 768, 832, 896, 960, 1024];
const RATIOS = [
  '1:1',
  '1:2',
  '2:1',
  '2:3',
  '3:2',
  '3:4',
  '4:3',
  '4:5',
  '5:4',
  '9:16',
  '16:9',
  '9:21',
  '21:9',
];

const ltx: ModelRow = {
  ...USUAL,
  id: 'lightricks/ltx-video',
  title: 'LTX-Video',
  official: false,
  version: '8c47da666861d081eeb4d1261853087de23923a268a69b63febdf5dc1dee08e4',
  inputs: {
    prompt: { ...text, default: 'best quality, 4k, HDR, a tracking shot of a beautiful scene' },
    negative_prompt: { ...text, default: 'low quality, worst quality, deformed, distorted' },
    image,
    model: choice(['0.9.1', '0.9'], '0.9.1'),
    length: oneOf(FRAMES, 97),
    target_size: oneOf(SIZES, 640),
    aspect_ratio: choice(RATIOS, '3:2'),
    cfg: { type: 'number', minimum: 1, maximum: 20, default: 3 },
    steps: integer(1, 50, 30),
    image_noise_scale: { type: 'number', minimum: 0, maximum: 1, default: 0.15 },
    seed: anyInteger,
  },
  negative_prompt: 'negative_prompt',
  seed: 'seed',
  start_image: 'image',
  duration: {
    unit: 'frames',
    strategy: 'maximum',
    input: 'length',
    legal: { values: FRAMES },
    fps: 24,
    fps_input: null,
  },
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: {
    fps: FPS_24,
    steps: { input: 'steps' },
    guidance: { input: 'cfg' },
    resolution: {
      input: 'target_size',
      as: Object.fromEntries(SIZES.map((size) => [String(size), size])),
    },
  },
  sends: { target_size: 640, steps: 30 },
  rules: [],
  prices: [perRunSecond('l40s')],
  output: 'uris',
  output_fps: 24,
  usual_time: 40,
  notes: ['Prompts should be long and descriptive.', 'Its usual ratio is 3:2.'],
};

const FAST = 'lightricks/ltx-2.5-fast';
const fastPrice = readOn('2026-09-25', FAST);
const SECONDS = [2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20];
const fast: ModelRow = {
  ...USUAL,
  id: FAST,
  title: 'LTX 2.5 Fast',
  inputs: {
    prompt: requiredText,
    image,
    last_frame_image: image,
    duration: oneOf(SECONDS, 6),
    resolution: choice(['720p', '1080p', '2k', '4k'], '1080p'),
    aspect_ratio: { ...text, enum: ['16:9', '9:16'] },
    fps: oneOf([24, 25, 48, 50], 25),
    generate_audio: flag(true),
  },
  start_image: 'image',
  end_image: 'last_frame_image',
  audio: 'generate_audio',
  duration: inSeconds('percentage', { values: SECONDS }),
  aspect_ratio: { input: 'aspect_ratio', values: ['16:9', '9:16'], follows_image: false },
  settings: {
    fps: { input: 'fps' },
    resolution: { input: 'resolution' },
    audio: { input: 'generate_audio' },
  },
  sends: { resolution: '720p', fps: 25, generate_audio: false },
  rules: [
    endNeedsStart('last_frame_image', 'image'),
    {
      when: [{ input: 'duration', at_least: 12 }],
      then: [
        { input: 'resolution', one_of: ['720p', '1080p'] },
        { input: 'fps', one_of: [24, 25] },
      ],
      says: 'more than 10 s needs 720p or 1080p at 24 or 25 frames a second',
    },
  ],
  prices: [
    fastPrice.second(0.03, { resolution: '720p' }),
    fastPrice.second(0.06, { resolution: '1080p' }),
    fastPrice.second(0.12, { resolution: '2k' }),
    fastPrice.second(0.24, { resolution: '4k' }),
  ],
  usual_time: 45,
  notes: [NO_SEED, 'Its own default is 1080p; without a setting 720p is asked for.'],
};

export const LTX_VIDEO: readonly ModelRow[] = [ltx, fast];
