/** The built-in catalogue: every row, by id. Rows of a MODEL_CATALOGUE file are added elsewhere. */
import { COGVIDEOX } from './cogvideox.js';
import { GROK } from './grok.js';
import { HAILUO } from './hailuo.js';
import { HAPPYHORSE } from './happyhorse.js';
import { KLING } from './kling.js';
import { LTX_VIDEO } from './ltx-video.js';
import { LUMA } from './luma.js';
import { P_VIDEO } from './p-video.js';
import { PIXVERSE } from './pixverse.js';
import type { Catalogue, ModelRow } from './row.js';
import { RUNWAY } from './runway.js';
import { SEEDANCE } from './seedance.js';
import { STABLE_VIDEO_DIFFUSION } from './stable-video-diffusion.js';
import { VEO } from './veo.js';
import { VIDU } from './vidu.js';
import { WAN } from './wan.js';

export type { Catalogue, ModelRow } from './row.js';

const ROWS: readonly ModelRow[] = [
  ...KLING,
  ...VEO,
  ...SEEDANCE,
  ...HAILUO,
  ...WAN,
  ...STABLE_VIDEO_DIFFUSION,
  ...COGVIDEOX,
  ...LTX_VIDEO,
  ...P_VIDEO,
  ...PIXVERSE,
  ...HAPPYHORSE,
  ...GROK,
  ...RUNWAY,
  ...VIDU,
  ...LUMA,
];

export const CATALOGUE: Catalogue = new Map(ROWS.map((row) => [row.id, row]));
