/** CogVideoX, image to video: always 49 frames at 8 a second in 720×480. A community model without a known pin. */
import type { ModelRow } from './row.js';
import { COMMON_RATIOS, anyInteger, perRunSecond, requiredImage, requiredText } from './shared.js';

const cogvideox: ModelRow = {
  id: 'thudm/cogvideox-i2v',
  title: 'CogVideoX image to video',
  official: false,
  version: null,
  inputs: {
    prompt: requiredText,
    image: requiredImage,
    num_frames: { ...anyInteger, enum: [49], default: 49 },
    guidance_scale: { type: 'number', minimum: 1, maximum: 20, default: 6 },
    num_inference_steps: { ...anyInteger, minimum: 1, maximum: 500, default: 50 },
    seed: anyInteger,
  },
  prompt: 'prompt',
  negative_prompt: null,
  seed: 'seed',
  start_image: 'image',
  end_image: null,
  references: null,
  audio: null,
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
  output: 'uri',
  output_fps: 8,
  usual_time: 180,
  bills_failed: true,
  notes: ['Every clip lasts 6.125 s in 720×480.', 'Its version is looked up when a job starts.'],
};

export const COGVIDEOX: readonly ModelRow[] = [cogvideox];
