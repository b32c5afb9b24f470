/** Kuaishou's Kling on Replicate: 5 or 10 seconds up to 2.6, whole seconds from 3 to 15 in version 3. No seeds anywhere. */
import type { ModelRow } from './row.js';
import { anyInteger, choice, image, perSecond, requiredText, text } from './shared.js';

const RATIOS = ['16:9', '9:16', '1:1'];
const FIVE_OR_TEN = {
  unit: 'seconds',
  strategy: 'maximum',
  input: 'duration',
  legal: { values: [5, 10] },
} as const;
const fiveOrTen = { ...anyInteger, enum: [5, 10], default: 5 };

const v25: ModelRow = {
  id: 'kwaivgi/kling-v2.5-turbo-pro',
  title: 'Kling 2.5 Turbo Pro',
  official: true,
  version: null,
  inputs: {
    prompt: requiredText,
    negative_prompt: { ...text, default: '' },
    start_image: image,
    end_image: image,
    image: { ...image, description: 'Deprecated: use start_image.' },
    aspect_ratio: choice(RATIOS, '16:9'),
    duration: fiveOrTen,
  },
  prompt: 'prompt',
  negative_prompt: 'negative_prompt',
  seed: null,
  start_image: 'start_image',
  end_image: 'end_image',
  references: null,
  audio: null,
  duration: FIVE_OR_TEN,
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: {},
  sends: {},
  rules: [
    {
      when: [{ input: 'end_image', is: 'set' }],
      then: [{ input: 'start_image', is: 'set' }],
      says: 'an end image needs a start image',
    },
  ],
  prices: [perSecond('kwaivgi/kling-v2.5-turbo-pro', 0.07)],
  output: 'uri',
  output_fps: 24,
  usual_time: 90,
  bills_failed: true,
  notes: ['It takes no seed: equal plans give different clips.'],
};

export const KLING: readonly ModelRow[] = [v25];
