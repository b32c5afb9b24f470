/** Runway Gen-4.5: 5 or 10 seconds, six ratios, seeds, no sound. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  image,
  inSeconds,
  oneOf,
  readOn,
  requiredText,
  text,
  USUAL,
} from './shared.js';

const ID = 'runwayml/gen-4.5';
const RATIOS = ['16:9', '9:16', '4:3', '3:4', '1:1', '21:9'];

const gen45: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'Runway Gen-4.5',
  inputs: {
    prompt: requiredText,
    image,
    duration: oneOf([5, 10], 5),
    aspect_ratio: { ...text, enum: RATIOS },
    seed: anyInteger,
  },
  seed: 'seed',
  start_image: 'image',
  duration: inSeconds('maximum', { values: [5, 10] }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: {},
  sends: {},
  rules: [],
  prices: [readOn('2026-06-04', ID).second(0.12)],
  usual_time: 120,
  notes: [],
};

export const RUNWAY: readonly ModelRow[] = [gen45];
