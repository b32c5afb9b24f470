/** Google's Veo 3.1 on Replicate: 4, 6 or 8 seconds; the sound is switched off unless asked for, it doubles the price. */
import type { ModelRow, PriceRow } from './row.js';
import {
  ALWAYS_SOUND,
  anyInteger,
  choice,
  flag,
  FPS_24,
  image,
  images,
  inSeconds,
  oneOf,
  readOn,
  requiredText,
  text,
  USUAL,
} from './shared.js';

const RATIOS = ['16:9', '9:16'];
const SIZES = ['720p', '1080p'];
const duration = oneOf([4, 6, 8], 8);

function bySound(id: string, silent: number, withSound: number): PriceRow[] {
  const { second } = readOn('2026-10-05', id);
  return [second(silent, { generate_audio: false }), second(withSound, { generate_audio: true })];
}

const V31 = 'google/veo-3.1';
const veo31: ModelRow = {
  ...USUAL,
  id: V31,
  title: 'Veo 3.1',
  inputs: {
    prompt: requiredText,
    aspect_ratio: choice(RATIOS, '16:9'),
    duration,
    image,
    last_frame: image,
    reference_images: images(3),
    negative_prompt: text,
    resolution: choice(SIZES, '1080p'),
    generate_audio: flag(true),
    seed: anyInteger,
  },
  negative_prompt: 'negative_prompt',
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame',
  references: { input: 'reference_images', limit: 3 },
  audio: 'generate_audio',
  duration: inSeconds('percentage', { values: [4, 6, 8] }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: {
    fps: FPS_24,
    resolution: { input: 'resolution' },
    audio: { input: 'generate_audio' },
  },
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
    {
      when: [{ input: 'reference_images', is: 'set' }],
      then: [{ input: 'last_frame', is: 'unset' }],
      says: 'reference images exclude an end image, which would be ignored',
    },
  ],
  prices: bySound(V31, 0.2, 0.4),
  output_fps: 24,
  usual_time: 92,
  notes: ['With reference images it makes 8 s in 16:9.'],
};

const FAST = 'google/veo-3.1-fast';
const { reference_images: _none, ...withoutReferences } = veo31.inputs;
const fast: ModelRow = {
  ...veo31,
  id: FAST,
  title: 'Veo 3.1 Fast',
  inputs: withoutReferences,
  references: null,
  rules: [],
  prices: bySound(FAST, 0.1, 0.15),
  usual_time: 64,
  notes: [],
};

const LITE = 'google/veo-3.1-lite';
const litePrice = readOn('2026-10-06', LITE);
const lite: ModelRow = {
  ...veo31,
  id: LITE,
  title: 'Veo 3.1 Lite',
  inputs: {
    prompt: requiredText,
    aspect_ratio: choice(RATIOS, '16:9'),
    duration,
    image,
    last_frame: image,
    resolution: choice(SIZES, '720p'),
    seed: anyInteger,
  },
  negative_prompt: null,
  references: null,
  audio: null,
  settings: { fps: FPS_24, resolution: { input: 'resolution' } },
  sends: { resolution: '720p' },
  rules: [
    {
      when: [{ input: 'resolution', one_of: ['1080p'] }],
      then: [{ input: 'duration', one_of: [8] }],
      says: '1080p needs 8 s',
    },
  ],
  prices: [
    litePrice.second(0.05, { resolution: '720p' }),
    litePrice.second(0.08, { resolution: '1080p' }),
  ],
  usual_time: 45,
  notes: [ALWAYS_SOUND],
};

export const VEO: readonly ModelRow[] = [veo31, fast, lite];
