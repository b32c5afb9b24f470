/** What the audit of a chaos run is given, and what it answers with. */
import type { Clip, Job, JobEvent, Prediction } from '../src/domain/job/job.schema.js';
import type { Answered } from './answers.js';
import type { ScheduledJob } from './schedule.js';
import { NONE } from './troubles.js';
import type { Trouble } from './troubles.js';

/** One prediction as the provider's books have it. */
export interface Booked {
  id: string;
  prompt: string;
  status: string;
  billed: boolean;
  usd: number;
  created_at: string;
  completed_at: string | null;
}

/** The provider's books by id. */
export type Known = ReadonlyMap<string, Booked>;

/** A job of the run, with how it ended, what it said on the way, and what is on disk for it. */
export interface Ended {
  scheduled: ScheduledJob;
  /** Null when it was not over in time. */
  job: Job | null;
  /** Every event, over all its runs. */
  log: readonly JobEvent[];
  /** What people said to it, and what came of their saying it. */
  answers: readonly Answered[];
  /** Ids of the predictions whose videos are stored whole, by clip_index. */
  stored: ReadonlyMap<number, string>;
}

/** One that is over. */
export type Over = Ended & { job: Job };

export const isEnded = (ended: Ended): ended is Over => ended.job !== null;

export type Kind =
  | 'lost'
  | 'orphaned'
  | 'overspent'
  | 'double'
  | 'hung'
  | 'diverged'
  | 'alive'
  | 'wrong_end'
  | 'disagreement';

export interface Finding {
  kind: Kind;
  says: string;
}

export const find = (kind: Kind, says: string): Finding => ({ kind, says });

/** A finding when the promise is broken. */
export const expectThat = (isKept: boolean, kind: Kind, says: () => string): Finding[] =>
  isKept ? [] : [find(kind, says())];

/** Its workflow was ended from outside. */
export const wasTerminated = ({ scheduled, answers }: Ended): boolean =>
  answers.length > 0 && scheduled.acts.some(({ kind }) => kind === 'terminate');

export interface Line {
  ended: Over;
  clip: Clip;
  prediction: Prediction;
}

export const linesOf = (ended: Over): Line[] =>
  ended.job.clips.flatMap((clip) =>
    clip.predictions.map((prediction) => ({ ended, clip, prediction })),
  );

export const nameOf = ({ job }: Over, { clip_index }: Pick<Clip, 'clip_index'>): string =>
  `${job.job_id} clip ${String(clip_index)}`;

export const troubleOf = (
  { scheduled }: Ended,
  { clip_index }: Pick<Clip, 'clip_index'>,
): Trouble => scheduled.troubles[clip_index] ?? NONE;

export function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}
