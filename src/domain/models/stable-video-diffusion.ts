/** Stability's image-to-video model: 14 or 25 frames from one picture, no prompt. A community model: it runs by version. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  COMMON_RATIOS,
  integer,
  perRunSecond,
  requiredImage,
  USUAL,
} from './shared.js';

const svd: ModelRow = {
  ...USUAL,
  id: 'stability-ai/stable-video-diffusion',
  title: 'Stable Video Diffusion',
  official: false,
  version: '3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438',
  inputs: {
    input_image: requiredImage,
    video_length: choice(['14_frames_with_svd', '25_frames_with_svd_xt'], '14_frames_with_svd'),
    sizing_strategy: choice(
      ['maintain_aspect_ratio', 'crop_to_16_9', 'use_image_dimensions'],
      'maintain_aspect_ratio',
    ),
    frames_per_second: integer(5, 30, 6),
    motion_bucket_id: integer(1, 255, 127),
    cond_aug: { type: 'number', minimum: 0, default: 0.02 },
    decoding_t: { type: 'integer', minimum: 1, default: 7 },
    seed: anyInteger,
  },
  prompt: null,
  seed: 'seed',
  start_image: 'input_image',
  duration: {
    unit: 'frames',
    strategy: 'maximum',
    input: 'video_length',
    legal: { values: [14, 25] },
    fps: 6,
    fps_input: 'frames_per_second',
    labels: { '14': '14_frames_with_svd', '25': '25_frames_with_svd_xt' },
  },
  aspect_ratio: { input: null, values: COMMON_RATIOS, follows_image: true },
  settings: {
    resolution: { input: 'sizing_strategy', as: { '1024x576': 'crop_to_16_9' } },
    fps: { input: 'frames_per_second' },
    motion: { input: 'motion_bucket_id' },
    steps: { input: null, differs: { '*': 'its number of steps is fixed and none is sent' } },
  },
  sends: {
    sizing_strategy: 'maintain_aspect_ratio',
    frames_per_second: 6,
    motion_bucket_id: 127,
  },
  rules: [],
  prices: [perRunSecond('a100')],
  usual_time: 60,
  notes: [
    'It takes no prompt: the picture alone decides.',
    'Its frames are few: 25 frames last 4.2 s at the usual 6 a second and 1 s at 24.',
    'The number of steps cannot be chosen.',
  ],
};

export const STABLE_VIDEO_DIFFUSION: readonly ModelRow[] = [svd];
