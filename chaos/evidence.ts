/**
 * What the audit of a chaos run compares, and the findings it answers with. Two ledgers of the same predictions: the
 * provider's, and the jobs' own.
 */
import type { Clip, Job, JobEvent, Prediction } from '../src/domain/job/job.schema.js';
import { NO_FAULTS } from './clip-faults.js';
import type { ClipFaults } from './clip-faults.js';
import type { Action, ScheduledJob } from './schedule.js';

/** One prediction in the provider's ledger. */
export interface LedgerEntry {
  id: string;
  prompt: string;
  status: string;
  billed: boolean;
  usd: number;
  created_at: string;
  completed_at: string | null;
}

/** By prediction id. */
export type ProviderLedger = ReadonlyMap<string, LedgerEntry>;

/** A pause is two requests: it ends with the second. */
export type SteeringRequest = Exclude<Action, { kind: 'terminate' }> | { kind: 'resume' };

export interface AnsweredRequest {
  request: SteeringRequest;
  /** How often it was sent and may have been received; only the last was answered. */
  sent: number;
  status: number;
  /** The run that the job was in when it answered; null when the answer shows no job. */
  run_id: string | null;
  /** Milliseconds since 1970: when it was sent first, and when the last was answered. */
  asked_at: number;
  answered_at: number;
}

/** A job of the run: its schedule, how it ended, its events, and what is stored of it. */
export interface JobEvidence {
  scheduled: ScheduledJob;
  /** Null when it was not over in time. */
  job: Job | null;
  /** Every event, over all its runs. */
  log: readonly JobEvent[];
  /** Requests to steer it, with their answers. */
  answers: readonly AnsweredRequest[];
  /** Ids of the predictions whose videos are stored whole, by clip_index. */
  stored: ReadonlyMap<number, string>;
}

/** A job that came to an end. */
export type FinishedJob = JobEvidence & { job: Job };

export const isFinished = (evidence: JobEvidence): evidence is FinishedJob => evidence.job !== null;

export type FindingKind =
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
  kind: FindingKind;
  message: string;
}

export const finding = (kind: FindingKind, message: string): Finding => ({ kind, message });

/** A finding when the promise is broken. */
export const expectThat = (isKept: boolean, kind: FindingKind, message: () => string): Finding[] =>
  isKept ? [] : [finding(kind, message())];

/** Whether its workflow was terminated from outside. */
export const wasTerminated = ({ scheduled, answers }: JobEvidence): boolean =>
  answers.length > 0 && scheduled.actions.some(({ kind }) => kind === 'terminate');

export interface Line {
  evidence: FinishedJob;
  clip: Clip;
  prediction: Prediction;
}

export const linesOf = (evidence: FinishedJob): Line[] =>
  evidence.job.clips.flatMap((clip) =>
    clip.predictions.map((prediction) => ({ evidence, clip, prediction })),
  );

export const nameOf = ({ job }: FinishedJob, { clip_index }: Pick<Clip, 'clip_index'>): string =>
  `${job.job_id} clip ${String(clip_index)}`;

export const faultsOf = (
  { scheduled }: JobEvidence,
  { clip_index }: Pick<Clip, 'clip_index'>,
): ClipFaults => scheduled.faults[clip_index] ?? NO_FAULTS;

export function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}
