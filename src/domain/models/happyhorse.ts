/** Alibaba's HappyHorse 1.1: 3 to 15 seconds with sound. One list of pictures: one is the start image, two to nine are references. */
import type { ModelRow } from './row.js';
import { anyInteger, choice, images, readOn, text } from './shared.js';

const ID = 'alibaba/happyhorse-1.1';
const RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4'];
const { second } = readOn('2026-09-25', ID);

const happyhorse: ModelRow = {
  id: ID,
  title: 'HappyHorse 1.1',
  official: true,
  version: null,
  inputs: {
    prompt: text,
    images: images(9),
    duration: { ...anyInteger, minimum: 3, maximum: 15, default: 5 },
    resolution: choice(['720p', '1080p'], '1080p'),
    aspect_ratio: { ...text, enum: RATIOS },
    seed: { ...anyInteger, minimum: 0, maximum: 2_147_483_647 },
  },
  prompt: 'prompt',
  negative_prompt: null,
  seed: 'seed',
  start_image: 'images',
  end_image: null,
  references: { input: 'images', limit: 9 },
  audio: null,
  duration: {
    unit: 'seconds',
    strategy: 'percentage',
    input: 'duration',
    legal: { min: 3, max: 15, step: 1 },
  },
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: { resolution: { input: 'resolution' } },
  sends: { resolution: '720p' },
  rules: [],
  prices: [second(0.14, { resolution: '720p' }), second(0.18, { resolution: '1080p' })],
  output: 'uri',
  output_fps: null,
  usual_time: 120,
  bills_failed: true,
  notes: [
    'It always makes sound.',
    'A single picture is its start image, several are references.',
    'Its own default is 1080p; without a setting 720p is asked for.',
  ],
};

export const HAPPYHORSE: readonly ModelRow[] = [happyhorse];
