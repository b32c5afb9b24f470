/** What changes in a clip whose video is stored. Pure. */
import type { StoreClipResult } from '../contract/activities.js';
import { decimal } from '../domain/values/decimal.js';
import type { Clip } from '../domain/job/job.schema.js';
import { secondsBetween } from '../domain/job/progress.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';

export const completed = (
  { requested_duration }: ResolvedClip,
  stored: StoreClipResult,
  submitted: string | null,
  at: string,
): Partial<Clip> => ({
  ...stored,
  status: 'succeeded',
  completed_at: at,
  next_attempt_at: null,
  error: null,
  duration_diff: decimal(stored.actual_duration - requested_duration, 3),
  generation_time: submitted === null ? 0 : Math.max(0, secondsBetween(submitted, at)),
});
