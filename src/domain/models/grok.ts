/** xAI's Grok Imagine: 1 to 15 seconds with sound; version 1.5 from a picture only. No seeds. */
import type { ModelRow } from './row.js';
import {
  ALWAYS_SOUND,
  choice,
  image,
  inSeconds,
  integer,
  NO_SEED,
  readOn,
  refused,
  requiredImage,
  requiredText,
  unconfirmed,
  USUAL,
} from './shared.js';

const ID = 'xai/grok-imagine-video';
const RATIOS = ['auto', '16:9', '4:3', '1:1', '9:16', '3:4', '3:2', '2:3'];
const inputs = {
  prompt: requiredText,
  duration: integer(1, 15, 5),
  resolution: choice(['720p', '480p'], '720p'),
  aspect_ratio: choice(RATIOS, 'auto'),
};
const NOTES = [ALWAYS_SOUND, NO_SEED];

const grok: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'Grok Imagine Video',
  inputs: { ...inputs, image, video: image },
  start_image: 'image',
  duration: inSeconds('percentage', { min: 1, max: 15, step: 1 }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: { resolution: { input: 'resolution' } },
  sends: { resolution: '720p' },
  rules: [refused('video', 'with a video it edits, for a price that is not known')],
  prices: [unconfirmed(readOn('2026-07-28', ID).second(0.05))],
  usual_time: 60,
  notes: NOTES,
};

const V15 = 'xai/grok-imagine-video-1.5';
const price = readOn('2026-09-25', V15);
/** The page gave $0.08 for both sizes in September; in June $0.14 for 720p and $0.01 for the picture. The higher sums are kept. */
const FEE = [{ input: 'image', usd: 0.01 }];
const v15: ModelRow = {
  ...grok,
  id: V15,
  title: 'Grok Imagine Video 1.5',
  inputs: { ...inputs, image: requiredImage },
  rules: [],
  prices: [
    { ...price.second(0.08, { resolution: '480p' }), fees: FEE },
    { ...price.second(0.14, { resolution: '720p' }), fees: FEE },
  ],
  notes: [
    ...NOTES,
    'It always starts from a picture.',
    'Its price is the highest that its page has shown; it may be lower.',
  ],
};

export const GROK: readonly ModelRow[] = [grok, v15];
