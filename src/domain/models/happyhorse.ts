/** Alibaba's HappyHorse 1.1: 3 to 15 seconds with sound. One list of pictures: one is the start image, two to nine are references. */
import type { ModelRow } from './row.js';
import {
  ALWAYS_SOUND,
  choice,
  images,
  inSeconds,
  integer,
  readOn,
  SEED,
  text,
  USUAL,
} from './shared.js';

const ID = 'alibaba/happyhorse-1.1';
const RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4'];
const { second } = readOn('2026-09-25', ID);

const happyhorse: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'HappyHorse 1.1',
  inputs: {
    prompt: text,
    images: images(9),
    duration: integer(3, 15, 5),
    resolution: choice(['720p', '1080p'], '1080p'),
    aspect_ratio: { ...text, enum: RATIOS },
    seed: SEED,
  },
  seed: 'seed',
  start_image: 'images',
  references: { input: 'images', limit: 9 },
  duration: inSeconds('percentage', { min: 3, max: 15, step: 1 }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: { resolution: { input: 'resolution' } },
  sends: { resolution: '720p' },
  rules: [],
  prices: [second(0.14, { resolution: '720p' }), second(0.18, { resolution: '1080p' })],
  usual_time: 120,
  notes: [
    ALWAYS_SOUND,
    'A single picture is its start image, several are references.',
    'Its own default is 1080p; without a setting 720p is asked for.',
  ],
};

export const HAPPYHORSE: readonly ModelRow[] = [happyhorse];
