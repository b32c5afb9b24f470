/** Pruna's P-Video: whole seconds from 1 to 20, a seed, seven ratios, and sound at no extra cost. */
import type { ModelRow } from './row.js';
import { anyInteger, choice, flag, image, requiredText } from './shared.js';

const ID = 'prunaai/p-video';
const RATIOS = ['16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '1:1'];
const SIZES = ['720p', '1080p'];

/** Replicate's own billing tiers, as they were on this day. */
const price = (usd: number, resolution: string, draft: boolean) =>
  ({
    usd,
    per: 'second',
    as_of: '2026-10-05',
    source: `https://replicate.com/${ID}`,
    when: { resolution, draft },
  }) as const;

/**
 * Two inputs of the model are left out: `audio`, a sound file that decides the length, and so the cost, instead of
 * `duration`; and `no_op`, which nobody has documented.
 */
const pVideo: ModelRow = {
  id: ID,
  title: 'P-Video',
  official: true,
  version: null,
  inputs: {
    prompt: requiredText,
    image,
    last_frame_image: image,
    duration: { ...anyInteger, minimum: 1, maximum: 20, default: 5 },
    resolution: choice(SIZES, '720p'),
    fps: { ...anyInteger, enum: [24, 48], default: 24 },
    aspect_ratio: choice(RATIOS, '16:9'),
    draft: flag(false),
    save_audio: flag(true),
    prompt_upsampling: flag(true),
    disable_safety_filter: flag(true),
    seed: anyInteger,
  },
  prompt: 'prompt',
  negative_prompt: null,
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame_image',
  references: null,
  audio: 'save_audio',
  duration: {
    unit: 'seconds',
    strategy: 'percentage',
    input: 'duration',
    legal: { min: 1, max: 20, step: 1 },
  },
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: {
    fps: { input: 'fps' },
    resolution: { input: 'resolution' },
    audio: { input: 'save_audio' },
  },
  sends: { resolution: '720p', draft: false, save_audio: false },
  rules: [],
  prices: [
    price(0.02, '720p', false),
    price(0.005, '720p', true),
    price(0.04, '1080p', false),
    price(0.01, '1080p', true),
  ],
  output: 'uri',
  output_fps: null,
  usual_time: 10,
  bills_failed: true,
  notes: [
    'It rewrites prompts itself; settings.prompt_upsampling false switches that off.',
    'Its safety filter is off; settings.disable_safety_filter false switches it on.',
    'settings.draft true makes a quick, rougher clip at a quarter of the price.',
  ],
};

export const P_VIDEO: readonly ModelRow[] = [pVideo];
