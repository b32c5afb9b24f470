/** Google's Veo 3.1 on Replicate: 4, 6 or 8 seconds; the sound is switched off unless asked for, it doubles the price. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  flag,
  image,
  images,
  perSecond,
  requiredText,
  text,
} from './shared.js';

const ID = 'google/veo-3.1';
const RATIOS = ['16:9', '9:16'];
const SIZES = ['720p', '1080p'];

const veo31: ModelRow = {
  id: ID,
  title: 'Veo 3.1',
  official: true,
  version: null,
  inputs: {
    prompt: requiredText,
    aspect_ratio: choice(RATIOS, '16:9'),
    duration: { ...anyInteger, enum: [4, 6, 8], default: 8 },
    image,
    last_frame: image,
    reference_images: images(3),
    negative_prompt: text,
    resolution: choice(SIZES, '1080p'),
    generate_audio: flag(true),
    seed: anyInteger,
  },
  prompt: 'prompt',
  negative_prompt: 'negative_prompt',
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame',
  references: { input: 'reference_images', limit: 3 },
  audio: 'generate_audio',
  duration: {
    unit: 'seconds',
    strategy: 'percentage',
    input: 'duration',
    legal: { values: [4, 6, 8] },
  },
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: { resolution: { input: 'resolution' }, audio: { input: 'generate_audio' } },
  sends: { resolution: '1080p', generate_audio: false },
  rules: [
    {
      when: [{ input: 'reference_images', is: 'set' }],
      then: [
        { input: 'duration', one_of: [8] },
        { input: 'aspect_ratio', one_of: ['16:9'] },
      ],
      says: 'reference images need 8 s and 16:9',
    },
  ],
  prices: [perSecond(ID, 0.4, { generate_audio: true }), perSecond(ID, 0.2)],
  output: 'uri',
  output_fps: 24,
  usual_time: 180,
  bills_failed: true,
  notes: [],
};

export const VEO: readonly ModelRow[] = [veo31];
