/** Kuaishou's Kling on Replicate: 5 or 10 seconds up to 2.6, whole seconds from 3 to 15 in version 3. No seeds anywhere. */
import type { CrossRule, ModelRow, PriceRow, TextField } from './row.js';
import {
  choice,
  COMMON_RATIOS,
  endNeedsStart,
  flag,
  FPS_24,
  FROM_A_PICTURE,
  image,
  images,
  inSeconds,
  integer,
  NO_SEED,
  oneOf,
  readOn,
  requiredImage,
  requiredText,
  text,
  USUAL,
} from './shared.js';

const RATIOS = ['16:9', '9:16', '1:1'];
const FIVE_OR_TEN = inSeconds('maximum', { values: [5, 10] });
const fiveOrTen = oneOf([5, 10], 5);
const END_NEEDS_START = endNeedsStart('end_image', 'start_image');
const FEWER_IMAGES_WITH_VIDEO: CrossRule = {
  when: [{ input: 'reference_video', is: 'set' }],
  then: [{ input: 'reference_images', at_most: 4 }],
  says: 'with a reference video there may be 4 reference images',
};
/** The duration is ignored with it: the clip, and what it costs, is as long as the video. */
const LENGTH_OF_ITS_OWN: CrossRule = {
  when: [{ input: 'video_reference_type', one_of: ['base'] }],
  then: [{ input: 'video_reference_type', one_of: ['feature'] }],
  says: 'the length of a clip must not be left to a reference video',
};

const V25 = 'kwaivgi/kling-v2.5-turbo-pro';
const v25: ModelRow = {
  ...USUAL,
  id: V25,
  title: 'Kling 2.5 Turbo Pro',
  inputs: {
    prompt: requiredText,
    negative_prompt: { ...text, default: '' },
    start_image: image,
    end_image: image,
    image: { ...image, description: 'Deprecated: use start_image.' },
    aspect_ratio: choice(RATIOS, '16:9'),
    duration: fiveOrTen,
  },
  negative_prompt: 'negative_prompt',
  start_image: 'start_image',
  end_image: 'end_image',
  duration: FIVE_OR_TEN,
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: { fps: FPS_24, resolution: { input: null, only: ['1080p'] } },
  sends: {},
  rules: [END_NEEDS_START],
  prices: [readOn('2026-10-06', V25).second(0.07)],
  output_fps: 24,
  usual_time: 90,
  notes: [NO_SEED],
};

const V21 = 'kwaivgi/kling-v2.1';
const v21Price = readOn('2026-10-05', V21);
const v21: ModelRow = {
  ...v25,
  id: V21,
  title: 'Kling 2.1',
  inputs: {
    prompt: requiredText,
    negative_prompt: { ...text, default: '' },
    start_image: requiredImage,
    end_image: image,
    mode: choice(['standard', 'pro'], 'standard'),
    duration: fiveOrTen,
  },
  aspect_ratio: { input: null, values: COMMON_RATIOS, follows_image: true },
  settings: {
    fps: FPS_24,
    resolution: { input: 'mode', as: { '720p': 'standard', '1080p': 'pro' } },
  },
  sends: { mode: 'standard' },
  rules: [
    {
      when: [{ input: 'end_image', is: 'set' }],
      then: [{ input: 'mode', one_of: ['pro'] }],
      says: 'an end image needs mode pro',
    },
  ],
  prices: [v21Price.second(0.05, { mode: 'standard' }), v21Price.second(0.09, { mode: 'pro' })],
  usual_time: 150,
  notes: [NO_SEED, FROM_A_PICTURE],
};

const V26 = 'kwaivgi/kling-v2.6';
const v26Price = readOn('2026-10-05', V26);
const v26: ModelRow = {
  ...v25,
  id: V26,
  title: 'Kling 2.6',
  inputs: {
    prompt: requiredText,
    negative_prompt: { ...text, default: '' },
    start_image: image,
    aspect_ratio: choice(RATIOS, '16:9'),
    duration: fiveOrTen,
    generate_audio: flag(true),
  },
  end_image: null,
  audio: 'generate_audio',
  settings: { fps: FPS_24, audio: { input: 'generate_audio' } },
  sends: { generate_audio: false },
  rules: [],
  prices: [
    v26Price.second(0.07, { generate_audio: false }),
    v26Price.second(0.14, { generate_audio: true }),
  ],
  usual_time: 150,
};

const THREE_TO_FIFTEEN = inSeconds('percentage', { min: 3, max: 15, step: 1 });
const MODES = ['standard', 'pro', '4k'];
const NEGATIVE: TextField = { ...text, default: '', max_length: 2500 };

/** In 4k sound is free. */
function byModeAndSound(id: string, withSound: { standard: number; pro: number }): PriceRow[] {
  const { second } = readOn('2026-10-05', id);
  return [
    second(0.168, { mode: 'standard', generate_audio: false }),
    second(withSound.standard, { mode: 'standard', generate_audio: true }),
    second(0.224, { mode: 'pro', generate_audio: false }),
    second(withSound.pro, { mode: 'pro', generate_audio: true }),
    second(0.42, { mode: '4k' }),
  ];
}

const V3 = 'kwaivgi/kling-v3-video';
const v3: ModelRow = {
  ...v25,
  id: V3,
  title: 'Kling 3',
  inputs: {
    prompt: { ...requiredText, max_length: 2500 },
    negative_prompt: NEGATIVE,
    start_image: image,
    end_image: image,
    mode: choice(MODES, 'pro'),
    aspect_ratio: choice(RATIOS, '16:9'),
    duration: integer(3, 15, 5),
    generate_audio: flag(false),
    multi_prompt: {
      ...text,
      description: 'JSON: at most 6 shots of at least 1 s each that add up to the duration.',
    },
  },
  audio: 'generate_audio',
  duration: THREE_TO_FIFTEEN,
  settings: {
    fps: FPS_24,
    resolution: { input: 'mode', as: { '720p': 'standard', '1080p': 'pro', '4k': '4k' } },
    audio: { input: 'generate_audio' },
  },
  sends: { mode: 'pro', generate_audio: false },
  prices: byModeAndSound(V3, { standard: 0.252, pro: 0.336 }),
  usual_time: 163,
  notes: [NO_SEED, 'In 4k sound is free.'],
};

const V3_OMNI = 'kwaivgi/kling-v3-omni-video';
const { negative_prompt: _none, ...v3Inputs } = v3.inputs;
const v3Omni: ModelRow = {
  ...v3,
  id: V3_OMNI,
  title: 'Kling 3 Omni',
  inputs: {
    ...v3Inputs,
    reference_images: images(7),
    reference_video: image,
    video_reference_type: choice(['feature', 'base'], 'feature'),
    keep_original_sound: flag(true),
  },
  negative_prompt: null,
  references: { input: 'reference_images', limit: 7 },
  reference_videos: { input: 'reference_video', limit: 1 },
  rules: [
    END_NEEDS_START,
    {
      when: [{ input: 'end_image', is: 'set' }],
      then: [{ input: 'reference_images', is: 'unset' }],
      says: 'an end image excludes reference images',
    },
    FEWER_IMAGES_WITH_VIDEO,
    {
      when: [{ input: 'reference_video', is: 'set' }],
      then: [{ input: 'generate_audio', one_of: [false] }],
      says: 'a reference video excludes generated sound',
    },
    {
      when: [{ input: 'mode', one_of: ['4k'] }],
      then: [{ input: 'reference_video', is: 'unset' }],
      says: 'mode 4k excludes a reference video',
    },
    LENGTH_OF_ITS_OWN,
  ],
  prices: byModeAndSound(V3_OMNI, { standard: 0.224, pro: 0.28 }),
  usual_time: 240,
};

const O1 = 'kwaivgi/kling-o1';
const o1Price = readOn('2026-10-05', O1);
const o1: ModelRow = {
  ...v3Omni,
  id: O1,
  title: 'Kling O1',
  inputs: {
    prompt: requiredText,
    start_image: image,
    end_image: image,
    reference_images: images(7),
    reference_video: image,
    video_reference_type: choice(['feature', 'base'], 'feature'),
    keep_original_sound: flag(true),
    mode: choice(['std', 'pro'], 'pro'),
    aspect_ratio: choice(RATIOS, '16:9'),
    duration: oneOf([3, 4, 5, 6, 7, 8, 9, 10], 5),
  },
  audio: null,
  duration: inSeconds('maximum', { min: 3, max: 10, step: 1 }),
  settings: {
    fps: FPS_24,
    resolution: { input: 'mode', as: { '720p': 'std', '1080p': 'pro' } },
  },
  sends: { mode: 'pro' },
  rules: [
    END_NEEDS_START,
    {
      when: [{ input: 'reference_video', is: 'unset' }],
      then: [{ input: 'duration', one_of: [5, 10] }],
      says: 'without a reference video the length is 5 or 10 s',
    },
    FEWER_IMAGES_WITH_VIDEO,
    LENGTH_OF_ITS_OWN,
  ],
  prices: [
    o1Price.second(0.084, { mode: 'std', reference_video: { is: 'unset' } }),
    o1Price.second(0.126, { mode: 'std', reference_video: { is: 'set' } }),
    o1Price.second(0.112, { mode: 'pro', reference_video: { is: 'unset' } }),
    o1Price.second(0.168, { mode: 'pro', reference_video: { is: 'set' } }),
  ],
  usual_time: 180,
  notes: [NO_SEED],
};

export const KLING: readonly ModelRow[] = [v21, v25, v26, v3, v3Omni, o1];
