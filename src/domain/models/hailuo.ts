/**
 * MiniMax: Hailuo 2.3 with 6 or 10 seconds at a price a clip, 10 seconds only at 768p; H3 with whole seconds from 4 to 15.
 * No seeds, no negative prompt.
 */
import type { CrossRule, ModelRow } from './row.js';
import {
  ALWAYS_SOUND,
  choice,
  COMMON_RATIOS,
  endNeedsStart,
  flag,
  FPS_24,
  image,
  images,
  inSeconds,
  integer,
  NO_SEED,
  oneOf,
  readOn,
  refused,
  requiredImage,
  requiredText,
  rewritesPrompts,
  USUAL,
} from './shared.js';

const ID = 'minimax/hailuo-2.3';
const price = readOn('2026-09-25', ID);
const inputs = {
  prompt: requiredText,
  duration: oneOf([6, 10], 6),
  resolution: choice(['768p', '1080p'], '768p'),
  prompt_optimizer: flag(true),
};

const hailuo: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'Hailuo 2.3',
  inputs: { ...inputs, first_frame_image: image },
  start_image: 'first_frame_image',
  duration: inSeconds('maximum', { values: [6, 10] }),
  aspect_ratio: { input: null, values: ['16:9'], follows_image: true },
  settings: { fps: FPS_24, resolution: { input: 'resolution' } },
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
  output_fps: 24,
  usual_time: 94,
  notes: [NO_SEED, rewritesPrompts('prompt_optimizer')],
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

const H3 = 'minimax/h3';
const h3Price = readOn('2026-10-10', H3);
/** What MiniMax itself charges for pictures above five; whether Replicate does is not known. */
const FEE = [{ input: 'reference_image_urls', usd: 0.04, above: 5 }];
const H3_RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9'];
const EXCLUDED: CrossRule['then'] = [
  { input: 'first_frame_image', is: 'unset' },
  { input: 'last_frame_image', is: 'unset' },
];
const h3: ModelRow = {
  ...hailuo,
  id: H3,
  title: 'MiniMax H3',
  inputs: {
    prompt: requiredText,
    first_frame_image: image,
    last_frame_image: image,
    reference_image_urls: images(9),
    reference_video_urls: images(3),
    reference_audio_urls: images(3),
    duration: integer(4, 15, 5),
    resolution: choice(['768P', '2K'], '768P'),
    ratio: choice(['adaptive', ...H3_RATIOS], 'adaptive'),
  },
  end_image: 'last_frame_image',
  references: { input: 'reference_image_urls', limit: 9 },
  duration: inSeconds('percentage', { min: 4, max: 15, step: 1 }),
  aspect_ratio: {
    input: 'ratio',
    values: H3_RATIOS,
    follows_image: true,
    with_image: 'adaptive',
  },
  settings: { resolution: { input: 'resolution', as: { '768p': '768P', '2k': '2K' } } },
  sends: { resolution: '768P' },
  rules: [
    {
      when: [{ input: 'first_frame_image', is: 'unset' }],
      then: [{ input: 'ratio', one_of: H3_RATIOS }],
      says: 'without a start image it needs a ratio',
    },
    {
      when: [{ input: 'first_frame_image', is: 'set' }],
      then: [{ input: 'ratio', one_of: ['adaptive'] }],
      says: 'a start image needs the ratio adaptive',
    },
    endNeedsStart('last_frame_image', 'first_frame_image'),
    ...['reference_image_urls', 'reference_audio_urls'].map((input): CrossRule => ({
      when: [{ input, is: 'set' }],
      then: EXCLUDED,
      says: 'whether references go with start and end images is not known',
    })),
    refused('reference_video_urls', 'what a reference video costs is not known'),
  ],
  prices: [
    { ...h3Price.second(0.08, { resolution: '768P' }), fees: FEE },
    { ...h3Price.second(0.13, { resolution: '2K' }), fees: FEE },
  ],
  output_fps: null,
  usual_time: 189,
  notes: [
    ALWAYS_SOUND,
    NO_SEED,
    'The fee for pictures above five is that of MiniMax itself; Replicate may charge none.',
  ],
};

export const HAILUO: readonly ModelRow[] = [hailuo, fast, h3];
