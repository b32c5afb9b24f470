/** The catalogue this program is delivered with: every row, by id. Rows from a file are added outside (MODEL_CATALOGUE). */
import { KLING } from './kling.js';
import type { Catalogue, ModelRow } from './row.js';
import { STABLE_VIDEO_DIFFUSION } from './stable-video-diffusion.js';
import { VEO } from './veo.js';

export type { Catalogue, ModelRow } from './row.js';

const ROWS: readonly ModelRow[] = [...KLING, ...VEO, ...STABLE_VIDEO_DIFFUSION];

export const CATALOGUE: Catalogue = new Map(ROWS.map((row) => [row.id, row]));
