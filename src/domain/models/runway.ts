/** Runway Gen-4.5: 5 or 10 seconds, six ratios, seeds, no sound. */
import type { ModelRow } from './row.js';
import { anyInteger, image, readOn, requiredText, text } from './shared.js';

const ID = 'runwayml/gen-4.5';
const RATIOS = ['16:9', '9:16', '4:3', '3:4', '1:1', '21:9'];

const gen45: ModelRow = {
  id: ID,
  title: 'Runway Gen-4.5',
  official: true,
  version: null,
  inputs: {
    prompt: requiredText,
    image,
    duration: { ...anyInteger, enum: [5, 10], default: 5 },
    aspect_ratio: { ...text, enum: RATIOS },
    seed: anyInteger,
  },
  prompt: 'prompt',
  negative_prompt: null,
  seed: 'seed',
  start_image: 'image',
  end_image: null,
  references: null,
  audio: null,
  duration: {
    unit: 'seconds',
    strategy: 'maximum',
    input: 'duration',
    legal: { values: [5, 10] },
  },
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: {},
  sends: {},
  rules: [],
  prices: [readOn('2026-06-04', ID).second(0.12)],
  output: 'uri',
  output_fps: null,
  usual_time: 120,
  bills_failed: true,
  notes: [],
};

export const RUNWAY: readonly ModelRow[] = [gen45];
