/**
 * Compares two ledgers after a chaos run: the provider's, which has every prediction and bill, and the jobs' own. Each
 * difference, and each broken promise, is a finding. Pure.
 *
 * AUDIT-1 Every prediction is in exactly one line of one job, and every line is a prediction.
 * AUDIT-2, AUDIT-3, AUDIT-5 concern clips: `audit-clips.ts`.
 * AUDIT-4 No job spends more than its cap, and the total it reports is what was billed: `audit-money.ts`.
 * AUDIT-6 A job has the clips of its plan, a log without a gap, and the end that follows from its clips.
 * AUDIT-7 Every accepted request has its effect, and no effect is without a request: `audit-requests.ts`.
 * AUDIT-8 A clip that was not paid for because of the cap really did not fit: `audit-budget.ts`.
 */
import { ruleOf } from '../src/domain/job/failures.js';
import { wasCanceled } from './requests.js';
import { budgetFindings } from './audit-budget.js';
import { clipFindings, fewestOf, successesOf } from './audit-clips.js';
import { moneyFindings } from './audit-money.js';
import { requestFindings } from './audit-requests.js';
import {
  expectThat,
  finding,
  groupBy,
  isFinished,
  linesOf,
  nameOf,
  wasTerminated,
} from './evidence.js';
import type { LedgerEntry, JobEvidence, Finding, Line, FinishedJob } from './evidence.js';
import { beginsRound } from './rounds.js';

export function audit(booked: readonly LedgerEntry[], jobs: readonly JobEvidence[]): Finding[] {
  const over = jobs.filter(isFinished);
  const lines = over.flatMap(linesOf);
  const ledger = new Map(booked.map((entry) => [entry.id, entry]));
  return [
    ...jobs.filter(({ job }) => job === null).map(hung),
    ...ownership(booked, lines),
    ...lines.flatMap((line) => agreement(line, ledger.get(line.prediction.id))),
    ...booked.flatMap(stillAlive),
    ...over.flatMap((evidence) => [
      ...completeness(evidence),
      ...jobEnding(evidence),
      ...halting(evidence),
      ...clipFindings(evidence, ledger),
      ...moneyFindings(evidence, ledger),
      ...budgetFindings(evidence, ledger),
      ...requestFindings(evidence),
    ]),
  ];
}

const hung = ({ scheduled }: JobEvidence): Finding =>
  finding('hung', `${scheduled.job_id} did not end`);

/** AUDIT-1 */
function ownership(booked: readonly LedgerEntry[], lines: readonly Line[]): Finding[] {
  const owners = groupBy(lines, ({ prediction }) => prediction.id);
  return booked.flatMap(({ id, status, prompt }) => {
    const found = owners.get(id) ?? [];
    if (found.length === 0) return finding('orphaned', `${id} (${status}) is in no job: ${prompt}`);
    const names = found.map(({ evidence, clip }) => nameOf(evidence, clip)).join(', ');
    return expectThat(found.length === 1, 'double', () => `${id} is in several lines: ${names}`);
  });
}

/** AUDIT-1 */
function agreement(
  { evidence, clip, prediction }: Line,
  entry: LedgerEntry | undefined,
): Finding[] {
  const name = `${nameOf(evidence, clip)}: ${prediction.id}`;
  if (entry === undefined) return [finding('disagreement', `${name} is unknown to the provider`)];
  const ours = { status: prediction.status, billed: prediction.billed, usd: prediction.cost_usd };
  const theirs = { status: entry.status, billed: entry.billed, usd: entry.usd };
  const isSame =
    ours.status === theirs.status &&
    ours.billed === theirs.billed &&
    Math.abs((ours.usd ?? NaN) - theirs.usd) < 1e-6;
  return expectThat(
    isSame,
    'disagreement',
    () => `${name} is ${JSON.stringify(ours)} here and ${JSON.stringify(theirs)} there`,
  );
}

const stillAlive = ({ id, status, prompt }: LedgerEntry): Finding[] =>
  expectThat(
    status !== 'starting' && status !== 'processing',
    'alive',
    () => `${id} is still ${status}: ${prompt}`,
  );

/** AUDIT-6 */
function completeness({ scheduled, job, log }: FinishedJob): Finding[] {
  const planned = scheduled.plan.clip_prompts.map(({ clip_index }, n) => clip_index ?? n);
  const had = job.clips.map(({ clip_index }) => clip_index);
  const isWhole = log.length === job.seq && log.every(({ seq }, n) => seq === n + 1);
  return [
    ...expectThat(
      had.join() === planned.join(),
      'lost',
      () => `${job.job_id} has the clips ${had.join()}, its plan ${planned.join()}`,
    ),
    ...expectThat(
      isWhole,
      'disagreement',
      () => `${job.job_id} has ${String(job.seq)} events, its log ${String(log.length)}`,
    ),
  ];
}

/** AUDIT-6 */
function jobEnding(evidence: FinishedJob): Finding[] {
  const { job_id, status, error } = evidence.job;
  const [good, fewest] = [successesOf(evidence.job), fewestOf(evidence)];
  const isFine =
    (status === 'succeeded' && good >= fewest) ||
    (status === 'failed' && good < fewest && error?.kind === 'insufficient_clips') ||
    (status === 'canceled' && wasCanceled(evidence, null)) ||
    // No clip was left to retry.
    (status === 'failed' && wasTerminated(evidence) && good === evidence.job.clips.length);
  const why = error === null ? '' : ` (${error.kind}: ${error.message})`;
  return expectThat(
    isFine,
    'wrong_end',
    () =>
      `${job_id} is ${status}${why} with ${String(good)} good clips of ${String(fewest)} needed`,
  );
}

/** After a failure that halts the job no clip starts, until clips are requested again. */
function halting({ job, log }: FinishedJob): Finding[] {
  let halt: string | null = null;
  return log.flatMap((event) => {
    if (event.type === 'job.started' || beginsRound(event)) halt = null;
    if (event.type === 'clip.failed' && event.clip.error !== null) {
      const { kind } = event.clip.error;
      if (ruleOf(kind).halts) halt = kind;
    }
    if (event.type !== 'clip.started' || halt === null) return [];
    const message = `${job.job_id} clip ${String(event.clip_index)} was started after ${halt}`;
    return finding('wrong_end', message);
  });
}
