/** Luma's Ray 3.2: 5 or 10 seconds at a price a clip; 10 seconds from text alone. No seeds, no sound. */
import type { CrossRule, ModelRow } from './row.js';
import {
  choice,
  image,
  inSeconds,
  NO_SEED,
  oneOf,
  readOn,
  requiredText,
  text,
  USUAL,
} from './shared.js';

const ID = 'luma/ray-3.2';
const RATIOS = ['9:16', '3:4', '1:1', '4:3', '16:9', '21:9'];
const { clip } = readOn('2026-09-25', ID);
const withoutPrice = (input: string): CrossRule => ({
  when: [{ input, one_of: [true] }],
  then: [{ input, one_of: [false] }],
  says: `what ${input} costs is not known`,
});

const ray32: ModelRow = {
  ...USUAL,
  id: ID,
  title: 'Luma Ray 3.2',
  inputs: {
    prompt: requiredText,
    start_image: image,
    end_image: image,
    duration: oneOf([5, 10], 5),
    resolution: choice(['540p', '720p', '1080p'], '720p'),
    aspect_ratio: { ...text, enum: RATIOS },
    loop: { type: 'boolean' },
    hdr: { type: 'boolean' },
    exr_export: { type: 'boolean' },
  },
  start_image: 'start_image',
  end_image: 'end_image',
  duration: inSeconds('maximum', { values: [5, 10] }),
  aspect_ratio: { input: 'aspect_ratio', values: RATIOS, follows_image: false },
  settings: { resolution: { input: 'resolution' } },
  sends: { resolution: '720p', loop: false, hdr: false, exr_export: false },
  draft: { resolution: '540p' },
  rules: [
    {
      when: [{ input: 'duration', one_of: [10] }],
      then: [
        { input: 'start_image', is: 'unset' },
        { input: 'end_image', is: 'unset' },
        { input: 'loop', one_of: [false] },
      ],
      says: '10 s excludes start and end images and loop',
    },
    withoutPrice('hdr'),
    withoutPrice('exr_export'),
  ],
  prices: [
    clip(0.15, { resolution: '540p', duration: 5 }),
    clip(0.45, { resolution: '540p', duration: 10 }),
    clip(0.3, { resolution: '720p', duration: 5 }),
    clip(0.9, { resolution: '720p', duration: 10 }),
    clip(1.2, { resolution: '1080p', duration: 5 }),
    clip(3.6, { resolution: '1080p', duration: 10 }),
  ],
  usual_time: 90,
  notes: [NO_SEED],
};

export const LUMA: readonly ModelRow[] = [ray32];
