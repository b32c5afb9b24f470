/** PixVerse 6: four lengths up to 15 seconds, 360p to 1080p, seeds; the size is called quality. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  endNeedsStart,
  flag,
  image,
  inSeconds,
  oneOf,
  readOn,
  text,
  USUAL,
} from './shared.js';

const ID = 'pixverse/pixverse-v6';
const RATIOS = ['16:9', '9:16', '1:1'];
const { second } = readOn('2026-10-05', ID);

const v6: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'PixVerse 6',
  inputs: {
    prompt: text,
    negative_prompt: { ...text, default: '' },
    image,
    last_frame_image: image,
    quality: choice(['360p', '540p', '720p', '1080p'], '540p'),
    duration: oneOf([5, 8, 10, 15], 5),
    aspect_ratio: choice(RATIOS, '16:9'),
    generate_audio_switch: flag(false),
    generate_multi_clip_switch: flag(false),
    seed: anyInteger,
  },
  negative_prompt: 'negative_prompt',
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame_image',
  audio: 'generate_audio_switch',
  duration: inSeconds('maximum', { values: [5, 8, 10, 15] }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: {
    resolution: { input: 'quality' },
    audio: { input: 'generate_audio_switch' },
  },
  sends: { quality: '540p', generate_audio_switch: false, generate_multi_clip_switch: false },
  draft: { quality: '360p' },
  rules: [
    endNeedsStart('last_frame_image', 'image'),
    {
      when: [{ input: 'last_frame_image', is: 'set' }],
      then: [{ input: 'generate_multi_clip_switch', one_of: [false] }],
      says: 'an end image excludes several shots',
    },
  ],
  prices: [
    second(0.05, { quality: '360p', generate_audio_switch: false }),
    second(0.07, { quality: '360p', generate_audio_switch: true }),
    second(0.07, { quality: '540p', generate_audio_switch: false }),
    second(0.09, { quality: '540p', generate_audio_switch: true }),
    second(0.09, { quality: '720p', generate_audio_switch: false }),
    second(0.12, { quality: '720p', generate_audio_switch: true }),
    second(0.18, { quality: '1080p', generate_audio_switch: false }),
    second(0.23, { quality: '1080p', generate_audio_switch: true }),
  ],
  usual_time: 60,
  notes: [],
};

export const PIXVERSE: readonly ModelRow[] = [v6];
