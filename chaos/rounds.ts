/**
 * The rounds of a clip, read from its job's log: an accepted retry writes `clip.retrying` with attempt 0 and begins a
 * round. A refused one writes no event and begins none. Pure.
 */
import type { Clip, ClipEventType, JobEvent, Prediction } from '../src/domain/job/job.schema.js';
import { isClipEvent } from '../src/domain/job/progress.js';

export interface Round {
  /** As the clip was when the round ended. */
  clip: Clip;
  /** Of this round alone, in their final state. */
  predictions: Prediction[];
  isLast: boolean;
  /** How often its workflow was terminated meanwhile: the round resumed in the next run. */
  cutOff: number;
  /** What began it: the plan (the first round), a retry signal, or a new run of the job. */
  begunBy: 'plan' | 'signal' | 'run';
}

export type ClipEvent = Extract<JobEvent, { type: ClipEventType }>;

export const clipEventsOf = (log: readonly JobEvent[]): ClipEvent[] =>
  log.filter((event): event is ClipEvent => isClipEvent(event));

export const beginsRound = (event: JobEvent): boolean =>
  event.type === 'clip.retrying' && event.clip.attempt === 0;

export function roundsOf(clip: Clip, log: readonly JobEvent[]): Round[] {
  const told = clipEventsOf(log).filter(({ clip_index }) => clip_index === clip.clip_index);
  const all = told.flatMap((event, at) =>
    beginsRound(event)
      ? [{ event, before: told[at - 1] ?? event, carried: idsOf(event.clip) }]
      : [],
  );
  const begins = all.filter(({ before }) => !isCutOff(before));
  const cutsIn = (from: number, to: number): number =>
    all.filter(({ before }) => isCutOff(before) && before.seq > from && before.seq <= to).length;
  // Predictions that a round starts with belong to earlier rounds.
  const roundOf = ({ id }: Prediction): number =>
    begins.filter(({ carried }) => !carried.has(id)).length;
  return [...begins.map(({ before }) => before.clip), clip].map((ended, round) => ({
    clip: ended,
    predictions: clip.predictions.filter((prediction) => roundOf(prediction) === round),
    isLast: round === begins.length,
    cutOff: cutsIn(begins[round - 1]?.event.seq ?? 0, begins[round]?.event.seq ?? Infinity),
    begunBy: originOf(log, begins[round - 1]),
  }));
}

/** The run was terminated while the clip was running or queued: its round resumes in the next run. */
const isCutOff = ({ clip: { error } }: ClipEvent): boolean =>
  error?.kind === 'internal' && error.message.startsWith('the workflow was terminated');

/** A new run retries every clip that did not succeed, so `job.started` between end and retry means that the run began the round. */
function originOf(
  log: readonly JobEvent[],
  begin: { before: JobEvent; event: JobEvent } | undefined,
): Round['begunBy'] {
  if (begin === undefined) return 'plan';
  const between = log.filter(({ seq }) => seq > begin.before.seq && seq < begin.event.seq);
  return between.some(({ type }) => type === 'job.started') ? 'run' : 'signal';
}

const idsOf = ({ predictions }: Clip): ReadonlySet<string> =>
  new Set(predictions.map(({ id }) => id));
