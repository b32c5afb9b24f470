/**
 * What a search has believed, and may have been wrong about: that nothing was created. The list may lag for longer than
 * anybody watches. It rides in the heartbeat, from execution to execution, until somebody could look again (late-twin.ts).
 */
import type { Replicate } from '../adapters/replicate.js';
import type { Heartbeat } from '../domain/activity.js';
import type { Execution } from './execution.js';

/** Milliseconds by which a doubt reaches further than the clocks, as measured, ask for; and where nothing is measured. */
const MARGIN = 5_000;
const BLIND_MARGIN = 7_200_000;

/** What an execution before this one was not sure of. */
export function recallDoubt({ info, state }: Execution): void {
  const beat = info.heartbeatDetails as Partial<Heartbeat> | null | undefined;
  if (beat?.doubt) state.doubt = beat.doubt;
}

/** What was created between `since`, by the provider's clock, and now may show up later. */
export function doubt(
  { state }: Execution,
  { clock }: Pick<Replicate, 'clock'>,
  since: number,
): void {
  const margin = Math.min(BLIND_MARGIN, clock.error + MARGIN);
  const earlier = state.doubt ? Date.parse(state.doubt.after) : Infinity;
  state.doubt = {
    after: new Date(Math.min(since - margin, earlier)).toISOString(),
    before: new Date(clock.now() + margin).toISOString(),
  };
}
