/** MiniMax's Hailuo 2.3: 6 or 10 seconds at a price a clip; 10 seconds only at 768p. No seeds, no negative prompt. */
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
} from './shared.js';

const ID = 'minimax/hailuo-2.3';
const price = readOn('2026-09-25', ID);
const inputs = {
  prompt: requiredText,
  duration: { ...anyInteger, enum: [6, 10], default: 6 },
  resolution: choice(['768p', '1080p'], '768p'),
  prompt_optimizer: flag(true),
};

const hailuo: ModelRow = {
  id: ID,
  title: 'Hailuo 2.3',
  official: true,
  version: null,
  inputs: { ...inputs, first_frame_image: image },
  prompt: 'prompt',
  negative_prompt: null,
  seed: null,
  start_image: 'first_frame_image',
  end_image: null,
  references: null,
  audio: null,
  duration: {
    unit: 'seconds',
    strategy: 'maximum',
    input: 'duration',
    legal: { values: [6, 10] },
  },
  aspect_ratio: { input: null, values: ['16:9'], follows_image: true },
  settings: { fps: { input: null, only: [24] }, resolution: { input: 'resolution' } },
  sends: { resolution: '768p' },
  rules: [
    {
      when: [{ input: 'duration', one_of: [10] }],
      then: [{ input: 'resolution', one_of: ['768p'] }],
      says: '10 s needs 768p',
    },
  ],
  prices: [
    price.clip(0.49, { resolution: '1080p', duration: 6 }),
    price.clip(0.28, { resolution: '768p', duration: 6 }),
    price.clip(0.56, { resolution: '768p', duration: 10 }),
  ],
  output: 'uri',
  output_fps: 24,
  usual_time: 94,
  bills_failed: true,
  notes: [
    'It takes no seed: equal plans give different clips.',
    'It rewrites prompts itself; settings.prompt_optimizer false switches that off.',
  ],
};

const FAST = 'minimax/hailuo-2.3-fast';
const fastPrice = readOn('2026-09-25', FAST);
const fast: ModelRow = {
  ...hailuo,
  id: FAST,
  title: 'Hailuo 2.3 Fast',
  inputs: { ...inputs, first_frame_image: requiredImage },
  aspect_ratio: { input: null, values: COMMON_RATIOS, follows_image: true },
  prices: [
    fastPrice.clip(0.33, { resolution: '1080p', duration: 6 }),
    fastPrice.clip(0.19, { resolution: '768p', duration: 6 }),
    fastPrice.clip(0.32, { resolution: '768p', duration: 10 }),
  ],
  usual_time: 90,
};

export const HAILUO: readonly ModelRow[] = [hailuo, fast];
