/** ByteDance's Seedance: whole seconds, seeds, seven ratios; version 1 without sound, version 2 with it and with references of three kinds. */
import type { CrossRule, ModelRow, PriceRow } from './row.js';
import {
  anyInteger,
  choice,
  endNeedsStart,
  flag,
  FPS_24,
  image,
  images,
  inSeconds,
  integer,
  oneOf,
  readOn,
  requiredText,
  text,
  unconfirmed,
  UNDATED,
  USUAL,
} from './shared.js';

const RATIOS = ['16:9', '4:3', '1:1', '3:4', '9:16', '21:9', '9:21'];
const RATIOS_25 = RATIOS.filter((ratio) => ratio !== '9:21');
const SIZES = ['480p', '720p', '1080p'];
const END_NEEDS_START = endNeedsStart('last_frame_image', 'image');
const REFERENCES_EXCLUDE_FRAMES: CrossRule = {
  when: [{ input: 'reference_images', is: 'set' }],
  then: [
    { input: 'image', is: 'unset' },
    { input: 'last_frame_image', is: 'unset' },
  ],
  says: 'reference images exclude start and end images',
};

const PRO = 'bytedance/seedance-1-pro';
const proPrice = readOn('2026-10-06', PRO);
const pro: ModelRow = {
  ...USUAL,
  id: PRO,
  title: 'Seedance 1 Pro',
  inputs: {
    prompt: requiredText,
    image,
    last_frame_image: image,
    duration: integer(2, 12, 5),
    resolution: choice(SIZES, '1080p'),
    aspect_ratio: choice(RATIOS, '16:9'),
    fps: oneOf([24], 24),
    camera_fixed: flag(false),
    seed: anyInteger,
  },
  seed: 'seed',
  start_image: 'image',
  end_image: 'last_frame_image',
  duration: inSeconds('percentage', { min: 2, max: 12, step: 1 }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: true },
  settings: { fps: { input: 'fps' }, resolution: { input: 'resolution' } },
  sends: { resolution: '1080p' },
  draft: { resolution: '480p' },
  rules: [END_NEEDS_START],
  prices: [
    proPrice.second(0.03, { resolution: '480p' }),
    proPrice.second(0.06, { resolution: '720p' }),
    proPrice.second(0.15, { resolution: '1080p' }),
  ],
  output_fps: 24,
  usual_time: 50,
  notes: [],
};

const LITE = 'bytedance/seedance-1-lite';
const litePrice = readOn(UNDATED, LITE);
const lite: ModelRow = {
  ...pro,
  id: LITE,
  title: 'Seedance 1 Lite',
  inputs: {
    ...pro.inputs,
    resolution: choice(SIZES, '720p'),
    reference_images: images(4),
  },
  references: { input: 'reference_images', limit: 4 },
  sends: { resolution: '720p' },
  draft: { resolution: '480p' },
  rules: [
    END_NEEDS_START,
    REFERENCES_EXCLUDE_FRAMES,
    {
      when: [{ input: 'reference_images', is: 'set' }],
      then: [{ input: 'resolution', one_of: ['480p', '720p'] }],
      says: 'reference images need 480p or 720p',
    },
  ],
  prices: [
    litePrice.second(0.018, { resolution: '480p' }),
    litePrice.second(0.036, { resolution: '720p' }),
    litePrice.second(0.072, { resolution: '1080p' }),
  ],
  usual_time: 60,
};

/** Version 2 costs more with a reference video, whatever its length; sound is free. */
const bySizeAndVideo = (
  price: ReturnType<typeof readOn>,
  table: readonly (readonly [size: string, without: number, withVideo: number])[],
): PriceRow[] =>
  table.flatMap(([resolution, without, withVideo]) => [
    price.second(without, { resolution, reference_videos: { is: 'unset' } }),
    price.second(withVideo, { resolution, reference_videos: { is: 'set' } }),
  ]);

const SOUND_NEEDS_PICTURES: CrossRule = {
  when: [{ input: 'reference_audios', is: 'set' }],
  then: [
    {
      any_of: [
        { input: 'reference_images', is: 'set' },
        { input: 'reference_videos', is: 'set' },
      ],
    },
  ],
  says: 'reference audios need a reference image or a reference video',
};

const TWO = 'bytedance/seedance-2.0';
const two: ModelRow = {
  ...pro,
  id: TWO,
  title: 'Seedance 2.0',
  inputs: {
    prompt: { ...requiredText, max_length: 4000 },
    image,
    last_frame_image: image,
    reference_images: images(9),
    reference_videos: images(3),
    reference_audios: images(3),
    duration: integer(-1, 15, 5),
    resolution: choice([...SIZES, '4k'], '720p'),
    aspect_ratio: choice([...RATIOS, 'adaptive'], '16:9'),
    generate_audio: flag(true),
    seed: anyInteger,
  },
  references: { input: 'reference_images', limit: 9 },
  reference_videos: { input: 'reference_videos', limit: 3 },
  reference_audios: { input: 'reference_audios', limit: 3 },
  audio: 'generate_audio',
  duration: inSeconds('percentage', { min: 4, max: 15, step: 1 }),
  aspect_ratio: {
    input: 'aspect_ratio',
    values: [...RATIOS, 'adaptive'],
    follows_image: false,
  },
  settings: {
    fps: FPS_24,
    resolution: { input: 'resolution' },
    audio: { input: 'generate_audio' },
  },
  sends: { resolution: '720p', generate_audio: false },
  rules: [END_NEEDS_START, REFERENCES_EXCLUDE_FRAMES, SOUND_NEEDS_PICTURES],
  prices: bySizeAndVideo(readOn('2026-10-05', TWO), [
    ['480p', 0.08, 0.1],
    ['720p', 0.18, 0.22],
    ['1080p', 0.45, 0.55],
    ['4k', 1, 1.25],
  ]),
  usual_time: 130,
  notes: ['4k comes as H.265 with 10 bits, which many players do not show.'],
};

const TWO_FAST = 'bytedance/seedance-2.0-fast';
const twoFast: ModelRow = {
  ...two,
  id: TWO_FAST,
  title: 'Seedance 2.0 Fast',
  inputs: { ...two.inputs, resolution: choice(['480p', '720p'], '720p') },
  prices: bySizeAndVideo(readOn('2026-10-05', TWO_FAST), [
    ['480p', 0.07, 0.08],
    ['720p', 0.15, 0.17],
  ]),
  usual_time: 85,
  notes: [],
};

const TWO_MINI = 'bytedance/seedance-2.0-mini';
const twoMini: ModelRow = {
  ...twoFast,
  id: TWO_MINI,
  title: 'Seedance 2.0 Mini',
  prices: bySizeAndVideo(readOn('2026-10-09', TWO_MINI), [
    ['480p', 0.04, 0.05],
    ['720p', 0.09, 0.11],
  ]).map(unconfirmed),
  usual_time: 167,
};

const TWO_FIVE = 'bytedance/seedance-2.5';
const MEDIA = ['reference_images', 'reference_videos', 'reference_audios'] as const;
const twoFive: ModelRow = {
  ...two,
  id: TWO_FIVE,
  title: 'Seedance 2.5',
  inputs: {
    prompt: { ...text, default: '' },
    image,
    last_frame_image: image,
    reference_images: images(30),
    reference_videos: images(10),
    reference_audios: images(10),
    duration: integer(-1, 30, 5),
    resolution: choice(['480p', '720p'], '720p'),
    aspect_ratio: choice([...RATIOS_25, 'adaptive'], '16:9'),
    generate_audio: flag(true),
    watermark: flag(false),
    output_format: choice(['mp4', 'mov'], 'mp4'),
    seed: anyInteger,
  },
  references: { input: 'reference_images', limit: 30 },
  reference_videos: { input: 'reference_videos', limit: 10 },
  reference_audios: { input: 'reference_audios', limit: 10 },
  duration: inSeconds('percentage', { min: 4, max: 30, step: 1 }),
  aspect_ratio: {
    input: 'aspect_ratio',
    values: RATIOS_25,
    follows_image: true,
    with_image: 'adaptive',
  },
  sends: { resolution: '720p', generate_audio: false, output_format: 'mp4' },
  rules: [
    END_NEEDS_START,
    ...MEDIA.map((input): CrossRule => ({
      when: [{ input, is: 'set' }],
      then: [
        { input: 'image', is: 'unset' },
        { input: 'last_frame_image', is: 'unset' },
      ],
      says: `${input.replace('_', ' ')} exclude start and end images`,
    })),
    {
      when: [{ input: 'image', is: 'set' }],
      then: [{ input: 'aspect_ratio', one_of: ['adaptive'] }],
      says: 'a start image needs the ratio adaptive',
    },
    SOUND_NEEDS_PICTURES,
  ],
  prices: bySizeAndVideo(readOn('2026-10-05', TWO_FIVE), [
    ['480p', 0.1028, 0.4304],
    ['720p', 0.2312, 0.9676],
  ]),
  usual_time: 224,
  notes: [
    'A reference video multiplies the price by 4.2.',
    'It refuses photographs of real faces (E005).',
  ],
};

export const SEEDANCE: readonly ModelRow[] = [pro, lite, two, twoFast, twoMini, twoFive];
