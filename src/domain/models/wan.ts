/** Alibaba's Wan: from 2.5 on seconds at a price a second; the fast 2.2 counts frames and costs a fixed sum a clip. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  COMMON_RATIOS,
  endNeedsStart,
  flag,
  FPS_24,
  FROM_A_PICTURE,
  image,
  inSeconds,
  integer,
  oneOf,
  readOn,
  requiredImage,
  requiredText,
  rewritesPrompts,
  SEED,
  text,
  unconfirmed,
  UNDATED,
  USUAL,
} from './shared.js';

const SOUND = { input: 'audio', limit: 1 };
const DRAFT = { resolution: '480p' };

const ID = 'wan-video/wan-2.5-i2v';
const price25 = readOn(UNDATED, ID);
const wan25: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'Wan 2.5 image to video',
  inputs: {
    prompt: requiredText,
    image: requiredImage,
    audio: image,
    negative_prompt: { ...text, default: '' },
    duration: oneOf([5, 10], 5),
    resolution: choice(['480p', '720p', '1080p'], '720p'),
    enable_prompt_expansion: flag(true),
    seed: anyInteger,
  },
  negative_prompt: 'negative_prompt',
  seed: 'seed',
  start_image: 'image',
  reference_audios: SOUND,
  duration: inSeconds('maximum', { values: [5, 10] }),
  aspect_ratio: { input: null, values: COMMON_RATIOS, follows_image: true },
  settings: { fps: FPS_24, resolution: { input: 'resolution' } },
  sends: { resolution: '720p' },
  draft: DRAFT,
  rules: [],
  prices: [
    unconfirmed(price25.second(0.05, { resolution: '480p' })),
    price25.second(0.1, { resolution: '720p' }),
    unconfirmed(price25.second(0.15, { resolution: '1080p' })),
  ],
  output_fps: 24,
  usual_time: 120,
  notes: [FROM_A_PICTURE, rewritesPrompts('enable_prompt_expansion')],
};

const FAST = 'wan-video/wan-2.2-i2v-fast';
const fastPrice = readOn('2026-10-05', FAST);
const { reference_audios: _sound, draft: _draft, ...plain } = wan25;
const fast: ModelRow = {
  ...plain,
  id: FAST,
  title: 'Wan 2.2 image to video, fast',
  inputs: {
    prompt: requiredText,
    image: requiredImage,
    last_image: image,
    num_frames: integer(81, 121, 81),
    frames_per_second: integer(5, 30, 16),
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

const TEXT_FAST = 'wan-video/wan-2.2-t2v-fast';
const textPrice = readOn('2026-10-06', TEXT_FAST);
const { image: _start, last_image: _end, ...withoutImages } = fast.inputs;
const textFast: ModelRow = {
  ...fast,
  id: TEXT_FAST,
  title: 'Wan 2.2 text to video, fast',
  inputs: {
    ...withoutImages,
    aspect_ratio: choice(['16:9', '9:16'], '16:9'),
    optimize_prompt: flag(false),
    interpolate_output: flag(true),
  },
  start_image: null,
  end_image: null,
  aspect_ratio: { input: 'aspect_ratio', values: ['16:9', '9:16'], follows_image: false },
  rules: [
    {
      when: [{ input: 'interpolate_output', one_of: [true] }],
      then: [{ input: 'interpolate_output', one_of: [false] }],
      says: 'what interpolation costs is not known',
    },
  ],
  prices: [
    textPrice.clip(0.05, { resolution: '480p', interpolate_output: false }),
    textPrice.clip(0.1, { resolution: '720p', interpolate_output: false }),
  ],
};

const I2V_27 = 'wan-video/wan-2.7-i2v';
const price27 = readOn('2026-10-06', I2V_27);
const wan27: ModelRow = {
  ...plain,
  reference_audios: SOUND,
  id: I2V_27,
  title: 'Wan 2.7 image to video',
  inputs: {
    prompt: text,
    first_frame: image,
    last_frame: image,
    first_clip: image,
    audio: image,
    negative_prompt: text,
    duration: integer(2, 15, 5),
    resolution: choice(['720p', '1080p'], '1080p'),
    enable_prompt_expansion: flag(true),
    seed: SEED,
  },
  start_image: 'first_frame',
  end_image: 'last_frame',
  duration: inSeconds('percentage', { min: 2, max: 15, step: 1 }),
  settings: { resolution: { input: 'resolution' } },
  rules: [
    endNeedsStart('last_frame', 'first_frame'),
    {
      when: [{ input: 'first_clip', is: 'set' }],
      then: [{ input: 'first_frame', is: 'unset' }],
      says: 'a first clip excludes a start image',
    },
    {
      when: [{ input: 'first_clip', is: 'unset' }],
      then: [{ input: 'first_frame', is: 'set' }],
      says: 'it starts from a picture',
    },
  ],
  prices: [
    price27.second(0.1, { resolution: '720p' }),
    price27.second(0.15, { resolution: '1080p' }),
  ],
  output_fps: null,
  usual_time: 120,
};

const THREE = 'alibaba/wan-3';
const RATIOS_3 = ['adaptive', '16:9', '9:16', '1:1', '4:3', '3:4'];
const price3 = readOn('2026-10-06', THREE);
const wan3: ModelRow = {
  ...plain,
  draft: DRAFT,
  id: THREE,
  title: 'Wan 3',
  inputs: {
    prompt: requiredText,
    image,
    negative_prompt: { ...text, default: '' },
    resolution: choice(['480p', '720p', '1080p'], '1080p'),
    aspect_ratio: choice(RATIOS_3, 'adaptive'),
    duration: integer(2, 30, 5),
    enable_prompt_expansion: flag(true),
    seed: SEED,
  },
  duration: inSeconds('percentage', { min: 2, max: 30, step: 1 }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS_3, follows_image: true },
  settings: { resolution: { input: 'resolution' } },
  prices: [
    price3.second(0.05, { resolution: '480p' }),
    price3.second(0.1, { resolution: '720p' }),
    price3.second(0.2, { resolution: '1080p' }),
  ],
  output_fps: null,
  usual_time: 210,
  notes: [
    'Its own default is 1080p, the dearest; without a setting 720p is asked for.',
    rewritesPrompts('enable_prompt_expansion'),
  ],
};

export const WAN: readonly ModelRow[] = [wan25, fast, textFast, wan27, wan3];
