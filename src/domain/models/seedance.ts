/** ByteDance's Seedance: whole seconds, seeds, seven ratios; version 1 without sound, version 2 with it. */
import type { CrossRule, ModelRow } from './row.js';
import { anyInteger, choice, flag, image, images, perSecond, requiredText } from './shared.js';

const RATIOS = ['16:9', '4:3', '1:1', '3:4', '9:16', '21:9', '9:21'];
const SIZES = ['480p', '720p', '1080p'];
const END_NEEDS_START: CrossRule = {
  when: [{ input: 'last_frame_image', is: 'set' }],
  then: [{ input: 'image', is: 'set' }],
  says: 'an end image needs a start image',
};
const REFERENCES_EXCLUDE_FRAMES: CrossRule = {
  when: [{ input: 'reference_images', is: 'set' }],
  then: [
    { input: 'image', is: 'unset' },
    { input: 'last_frame_image', is: 'unset' },
  ],
  says: 'reference images exclude start and end images',
};

const PRO = 'bytedance/seedance-1-pro';
const pro: ModelRow = {
  id: PRO,
  title: 'Seedance 1 Pro',
  official: true,
  version: null,
  inputs: {
    prompt: requiredText,
    image,
    last_frame_image: image,
    duration: { ...anyInteger, minimum: 2, maximum: 12, default: 5 },
    resolution: choice(SIZES, '1080p'),
    aspect_ratio: choice(RATIOS, '16:9'),
    fps: { ...anyInteger, enum: [24], default: 24 },
    camera_fixed: flag(false),
    seed: anyInteger,
  },
  prompt: 'prompt',
  negative_prompt: null,
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame_image',
  references: null,
  audio: null,
  duration: {
    unit: 'seconds',
    strategy: 'percentage',
    input: 'duration',
    legal: { min: 2, max: 12, step: 1 },
  },
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: { fps: { input: 'fps' }, resolution: { input: 'resolution' } },
  sends: { resolution: '1080p' },
  draft: { resolution: '480p' },
  rules: [END_NEEDS_START],
  prices: [
    perSecond(PRO, 0.03, { resolution: '480p' }),
    perSecond(PRO, 0.06, { resolution: '720p' }),
    perSecond(PRO, 0.15, { resolution: '1080p' }),
  ],
  output: 'uri',
  output_fps: 24,
  usual_time: 90,
  bills_failed: true,
  notes: [],
};

const LITE = 'bytedance/seedance-1-lite';
const lite: ModelRow = {
  ...pro,
  id: LITE,
  title: 'Seedance 1 Lite',
  inputs: {
    ...pro.inputs,
    resolution: choice(SIZES, '720p'),
    reference_images: images(4),
  },
  references: { input: 'reference_images', limit: 4 },
  sends: { resolution: '720p' },
  rules: [
    END_NEEDS_START,
    REFERENCES_EXCLUDE_FRAMES,
    {
      when: [{ input: 'reference_images', is: 'set' }],
      then: [{ input: 'resolution', one_of: ['480p', '720p'] }],
      says: 'reference images need 480p or 720p',
    },
  ],
  prices: [
    perSecond(LITE, 0.018, { resolution: '480p' }),
    perSecond(LITE, 0.036, { resolution: '720p' }),
    perSecond(LITE, 0.072, { resolution: '1080p' }),
  ],
  usual_time: 60,
};

const TWO = 'bytedance/seedance-2.0';
const two: ModelRow = {
  ...pro,
  id: TWO,
  title: 'Seedance 2.0',
  inputs: {
    prompt: requiredText,
    image,
    last_frame_image: image,
    reference_images: images(9),
    reference_videos: images(3),
    reference_audios: images(3),
    duration: { ...anyInteger, minimum: -1, maximum: 15, default: 5 },
    resolution: choice(SIZES, '720p'),
    aspect_ratio: choice([...RATIOS, 'adaptive'], '16:9'),
    generate_audio: flag(true),
    seed: anyInteger,
  },
  references: { input: 'reference_images', limit: 9 },
  audio: 'generate_audio',
  duration: {
    unit: 'seconds',
    strategy: 'percentage',
    input: 'duration',
    legal: { min: 4, max: 15, step: 1 },
  },
  aspect_ratio: {
    input: 'aspect_ratio',
    values: [...RATIOS, 'adaptive'],
    follows_image: false,
  },
  settings: {
    fps: { input: null, only: [24] },
    resolution: { input: 'resolution' },
    audio: { input: 'generate_audio' },
  },
  sends: { resolution: '720p', generate_audio: false },
  rules: [END_NEEDS_START, REFERENCES_EXCLUDE_FRAMES],
  prices: [],
  usual_time: 150,
  notes: ['No dated price is known: costs stay open, and a cap is refused.'],
};

export const SEEDANCE: readonly ModelRow[] = [pro, lite, two];
