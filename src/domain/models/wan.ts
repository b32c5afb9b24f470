/** Alibaba's Wan, image to video: 2.5 makes 5 or 10 seconds; the fast 2.2 counts frames and costs a fixed sum a clip. */
import type { ModelRow } from './row.js';
import {
  COMMON_RATIOS,
  anyInteger,
  choice,
  flag,
  image,
  readOn,
  requiredImage,
  requiredText,
  text,
  unconfirmed,
  UNDATED,
} from './shared.js';

const ID = 'wan-video/wan-2.5-i2v';
const price25 = readOn(UNDATED, ID);
const wan25: ModelRow = {
  id: ID,
  title: 'Wan 2.5 image to video',
  official: true,
  version: null,
  inputs: {
    prompt: requiredText,
    image: requiredImage,
    audio: image,
    negative_prompt: { ...text, default: '' },
    duration: { ...anyInteger, enum: [5, 10], default: 5 },
    resolution: choice(['480p', '720p', '1080p'], '720p'),
    enable_prompt_expansion: flag(true),
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
    unit: 'seconds',
    strategy: 'maximum',
    input: 'duration',
    legal: { values: [5, 10] },
  },
  aspect_ratio: { input: null, values: COMMON_RATIOS, follows_image: true },
  settings: { fps: { input: null, only: [24] }, resolution: { input: 'resolution' } },
  sends: { resolution: '720p' },
  rules: [],
  prices: [
    unconfirmed(price25.second(0.05, { resolution: '480p' })),
    price25.second(0.1, { resolution: '720p' }),
    unconfirmed(price25.second(0.15, { resolution: '1080p' })),
  ],
  output: 'uri',
  output_fps: 24,
  usual_time: 120,
  bills_failed: true,
  notes: [
    'It always starts from a picture, whose ratio the clip has.',
    'It rewrites prompts itself; settings.enable_prompt_expansion false switches that off.',
  ],
};

const FAST = 'wan-video/wan-2.2-i2v-fast';
const fastPrice = readOn('2026-10-05', FAST);
const fast: ModelRow = {
  ...wan25,
  id: FAST,
  title: 'Wan 2.2 image to video, fast',
  inputs: {
    prompt: requiredText,
    image: requiredImage,
    last_image: image,
    num_frames: { ...anyInteger, minimum: 81, maximum: 121, default: 81 },
    frames_per_second: { ...anyInteger, minimum: 5, maximum: 30, default: 16 },
    resolution: choice(['480p', '720p'], '480p'),
    go_fast: flag(true),
    sample_shift: { type: 'number', minimum: 1, maximum: 20, default: 12 },
    interpolate_output: flag(false),
    disable_safety_checker: flag(false),
    lora_weights_transformer: text,
    lora_scale_transformer: { type: 'number', default: 1 },
    lora_weights_transformer_2: text,
    lora_scale_transformer_2: { type: 'number', default: 1 },
    seed: anyInteger,
  },
  negative_prompt: null,
  end_image: 'last_image',
  duration: {
    unit: 'frames',
    strategy: 'percentage',
    input: 'num_frames',
    legal: { min: 81, max: 121, step: 1 },
    fps: 16,
    fps_input: 'frames_per_second',
  },
  settings: { fps: { input: 'frames_per_second' }, resolution: { input: 'resolution' } },
  sends: { resolution: '480p', frames_per_second: 16, interpolate_output: false },
  prices: [
    fastPrice.clip(0.05, { resolution: '480p', interpolate_output: false }),
    fastPrice.clip(0.065, { resolution: '480p', interpolate_output: true }),
    fastPrice.clip(0.11, { resolution: '720p', interpolate_output: false }),
    fastPrice.clip(0.145, { resolution: '720p', interpolate_output: true }),
  ],
  output_fps: null,
  usual_time: 30,
  notes: [
    'Lengths follow from frames: 81 to 121 frames, 5.1 to 7.6 s at 16 a second.',
    'The price is that of 81 frames; whether more frames cost more is unconfirmed.',
  ],
};

export const WAN: readonly ModelRow[] = [wan25, fast];
