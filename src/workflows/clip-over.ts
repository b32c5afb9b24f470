/** The ways in which a clip ends without a video, as far as the workflow finds them itself. */
import { noLongerFits, problem } from '../domain/job/failure-kinds.js';
import type { Problem } from '../domain/job/job.schema.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';

/** Thrown within a run only. */
export class ClipOver {
  readonly error: Problem;
  constructor(error: Problem) {
    this.error = error;
  }
}

export const canceled = (): ClipOver => new ClipOver(problem('canceled', 'canceled on request'));

export const unaffordable = (last: Problem | null): ClipOver =>
  new ClipOver(problem('over_budget', noLongerFits(last)));

/** `throttled`: what the provider said that would not let it begin; null when it was let through. */
export function late(seconds: number, throttled: string | null): ClipOver {
  const message = `expected an end within clip_timeout (${String(seconds)} s)`;
  return new ClipOver(
    throttled === null
      ? problem('timed_out', message)
      : problem('rate_limited', `${message}, and could not begin: ${throttled}`),
  );
}

/** The warning about a clip that another model takes over. */
export function switched(
  from: string,
  { clip_index, requested_duration, estimated_cost_usd }: ResolvedClip,
  to: string,
  { kind, message }: Problem,
): string {
  const cost =
    estimated_cost_usd === null ? 'at an unknown price' : `for $${String(estimated_cost_usd)}`;
  return `clip ${String(clip_index)}: ${from} could not make it (${kind}: ${message}); ${to} takes over, ${String(requested_duration)} s ${cost}, as fallback_models says`;
}
