/** Why a queued clip does not run, from the job and from what Temporal knows of the clip now. Pure. */
import type { Clip, Wait } from './job.schema.js';

/** Phases of `clip.progress` in which the clip waits and is not at the provider yet. */
const PHASE_WAITS: Readonly<Record<string, Wait>> = {
  waiting_for_worker: 'worker',
  waiting_for_rate: 'rate',
  waiting: 'rate',
};

/** Null for a clip that is not queued, or is being sent. `live` is newer than the job. */
export function waitOf(
  { status, waits_for }: Pick<Clip, 'status' | 'waits_for'>,
  live: { phase: string } | undefined,
): Wait | null {
  if (status !== 'queued') return null;
  return live === undefined ? (waits_for ?? null) : (PHASE_WAITS[live.phase] ?? null);
}

/** How many warnings the job counts but no longer lists. */
export const earlierWarnings = (warnings: readonly string[], total: number): number =>
  Math.max(0, total - warnings.length);
