/** CogVideoX, image to video: always 49 frames at 8 a second in 720×480. A community model without a known pin. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  COMMON_RATIOS,
  integer,
  oneOf,
  perRunSecond,
  requiredImage,
  requiredText,
  USUAL,
} from './shared.js';

const cogvideox: ModelRow = {
  ...USUAL,
  id: 'thudm/cogvideox-i2v',
  title: 'CogVideoX image to video',
  official: false,
  inputs: {
    prompt: requiredText,
    image: requiredImage,
    num_frames: oneOf([49], 49),
    guidance_scale: { type: 'number', minimum: 1, maximum: 20, default: 6 },
    num_inference_steps: integer(1, 500, 50),
    seed: anyInteger,
  },
  seed: 'seed',
  start_image: 'image',
  duration: {
    unit: 'frames',
    strategy: 'none',
    input: 'num_frames',
    legal: { values: [49] },
    fps: 8,
    fps_input: null,
  },
  aspect_ratio: { input: null, values: ['3:2', ...COMMON_RATIOS], follows_image: true },
  settings: {
    fps: { input: null, only: [8], differs: { '*': 'it makes 8 frames a second' } },
    steps: { input: 'num_inference_steps' },
    guidance: { input: 'guidance_scale' },
    resolution: {
      input: null,
      only: ['720x480'],
      differs: { '768x768': 'it makes 720x480, its only size' },
    },
  },
  sends: { num_inference_steps: 50 },
  rules: [],
  prices: [perRunSecond('a100')],
  output_fps: 8,
  usual_time: 180,
  notes: ['Every clip lasts 6.125 s in 720×480.', 'Its version is looked up when a job starts.'],
};

export const COGVIDEOX: readonly ModelRow[] = [cogvideox];
