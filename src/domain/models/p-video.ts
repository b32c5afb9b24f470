/** Pruna's P-Video: 1 to 20 seconds in about ten; the cheapest, and with a draft at a quarter of its price. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  flag,
  image,
  inSeconds,
  integer,
  oneOf,
  readOn,
  refused,
  rewritesPrompts,
  text,
  USUAL,
} from './shared.js';

const ID = 'prunaai/p-video';
const RATIOS = ['16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '1:1'];
const price = readOn('2026-10-05', ID);

const pVideo: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'P-Video',
  inputs: {
    prompt: text,
    image,
    last_frame_image: image,
    audio: image,
    duration: integer(1, 20, 5),
    resolution: choice(['720p', '1080p'], '720p'),
    fps: oneOf([24, 48], 24),
    aspect_ratio: choice(RATIOS, '16:9'),
    draft: flag(false),
    save_audio: flag(true),
    prompt_upsampling: flag(true),
    disable_safety_filter: flag(true),
    no_op: flag(false),
    seed: anyInteger,
  },
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame_image',
  audio: 'save_audio',
  duration: inSeconds('percentage', { min: 1, max: 20, step: 1 }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: {
    fps: { input: 'fps' },
    resolution: { input: 'resolution' },
    audio: { input: 'save_audio' },
  },
  sends: { resolution: '720p', fps: 24, draft: false, save_audio: false },
  draft: { draft: true },
  rules: [refused('audio', 'the length of a clip must not be left to a sound')],
  prices: [
    price.second(0.02, { resolution: '720p', draft: false }),
    price.second(0.005, { resolution: '720p', draft: true }),
    price.second(0.04, { resolution: '1080p', draft: false }),
    price.second(0.01, { resolution: '1080p', draft: true }),
  ],
  usual_time: 10,
  notes: [
    'Its safety filter is off unless settings.disable_safety_filter is false.',
    rewritesPrompts('prompt_upsampling'),
  ],
};

export const P_VIDEO: readonly ModelRow[] = [pVideo];
