/** Vidu Q3 Pro: 1 to 16 seconds, start and end image, seeds; the sound is switched off unless asked for. */
import type { ModelRow } from './row.js';
import {
  anyInteger,
  choice,
  endNeedsStart,
  flag,
  image,
  inSeconds,
  integer,
  readOn,
  requiredText,
  text,
  USUAL,
} from './shared.js';

const ID = 'vidu/q3-pro';
const RATIOS = ['16:9', '9:16', '3:4', '4:3', '1:1'];
/** The day on which the schema was read; that of the prices is not stated. */
const { second } = readOn('2026-07-28', ID);

const q3Pro: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'Vidu Q3 Pro',
  inputs: {
    prompt: { ...requiredText, max_length: 5000 },
    start_image: image,
    end_image: image,
    duration: integer(1, 16, 5),
    resolution: choice(['540p', '720p', '1080p'], '720p'),
    aspect_ratio: { ...text, enum: RATIOS },
    audio: flag(true),
    seed: anyInteger,
  },
  seed: 'seed',
  start_image: 'start_image',
  end_image: 'end_image',
  audio: 'audio',
  duration: inSeconds('percentage', { min: 1, max: 16, step: 1 }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: { resolution: { input: 'resolution' }, audio: { input: 'audio' } },
  sends: { resolution: '720p', audio: false },
  draft: { resolution: '540p' },
  rules: [endNeedsStart('end_image', 'start_image')],
  prices: [
    second(0.07, { resolution: '540p' }),
    second(0.15, { resolution: '720p' }),
    second(0.16, { resolution: '1080p' }),
  ],
  usual_time: 120,
  notes: ['The ratio of an end image may differ from that of the start image by 0.8 to 1.25.'],
};

export const VIDU: readonly ModelRow[] = [q3Pro];
