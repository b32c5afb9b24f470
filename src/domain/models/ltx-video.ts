/** Lightricks' LTX-Video: six lengths in frames at 24 a second. A community model; its output is a list. */
import type { ModelRow } from './row.js';
import { anyInteger, choice, image, perRunSecond, text } from './shared.js';

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
  id: 'lightricks/ltx-video',
  title: 'LTX-Video',
  official: false,
  version: '8c47da666861d081eeb4d1261853087de23923a268a69b63febdf5dc1dee08e4',
  inputs: {
    prompt: { ...text, default: 'best quality, 4k, HDR, a tracking shot of a beautiful scene' },
    negative_prompt: { ...text, default: 'low quality, worst quality, deformed, distorted' },
    image,
    model: choice(['0.9.1', '0.9'], '0.9.1'),
    length: { ...anyInteger, enum: FRAMES, default: 97 },
    target_size: { ...anyInteger, enum: SIZES, default: 640 },
    aspect_ratio: choice(RATIOS, '3:2'),
    cfg: { type: 'number', minimum: 1, maximum: 20, default: 3 },
    steps: { ...anyInteger, minimum: 1, maximum: 50, default: 30 },
    image_noise_scale: { type: 'number', minimum: 0, maximum: 1, default: 0.15 },
    seed: anyInteger,
  },
  prompt: 'prompt',
  negative_prompt: 'negative_prompt',
  seed: 'seed',
  start_image: 'image',
  end_image: null,
  references: null,
  audio: null,
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
    fps: { input: null, only: [24] },
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
  bills_failed: true,
  notes: ['Prompts should be long and descriptive.', 'Its usual ratio is 3:2.'],
};

export const LTX_VIDEO: readonly ModelRow[] = [ltx];
