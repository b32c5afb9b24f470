/** Why a clip that is queued does not run, by the job and by what Temporal knows of the clip right now. Pure. */
import type { Clip, Wait } from './job.schema.js';

/** Phases of `clip.progress` in which a clip that is not at the provider yet waits. */
const PHASE_WAITS: Readonly<Record<string, Wait>> = {
  waiting_for_worker: 'worker',
  waiting_for_rate: 'rate',
  waiting: 'rate',
};

/** Null of a clip that is not queued, or is just being sent. `live` is newer than the job. */
export function waitOf(
  { status, waits_for }: Pick<Clip, 'status' | 'waits_for'>,
  live: { phase: string } | undefined,
): Wait | null {
  if (status !== 'queued') return null;
  return live === undefined ? (waits_for ?? null) : (PHASE_WAITS[live.phase] ?? null);
}

/** Warnings that the job no longer lists, but counts. */
export const earlierWarnings = (warnings: readonly string[], total: number): number =>
  Math.max(0, total - warnings.length);
