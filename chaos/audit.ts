/**
 * Compares two sets of books after a chaos run: the provider's, which knows what was created and billed, and the
 * jobs' own ledgers. Pure. Whatever the two do not agree on, and whatever a promise forbids, is a finding.
 *
 * A1 every prediction stands in exactly one line of one ledger, and every line is a prediction.
 * A2, A3, A5 about clips: `audit-clips.ts`.
 * A4 no job spends more than its cap, and what it says it spent is what was billed: `audit-money.ts`.
 * A6 a job has the clips of its plan, a log without a gap, and the end that its clips make.
 * A7 what people were told is accepted is done, and nothing that nobody said: `audit-words.ts`.
 * A8 what was not paid for because it did not fit under the cap really did not: `audit-budget.ts`.
 */
import { ruleOf } from '../src/domain/job/failures.js';
import { wasCanceled } from './answers.js';
import { budgetFindings } from './audit-budget.js';
import { clipFindings, fewestOf, successesOf } from './audit-clips.js';
import { moneyFindings } from './audit-money.js';
import { wordFindings } from './audit-words.js';
import { expectThat, find, groupBy, isEnded, linesOf, nameOf, wasTerminated } from './evidence.js';
import type { Booked, Ended, Finding, Line, Over } from './evidence.js';
import { beginsRound } from './rounds.js';

export function audit(booked: readonly Booked[], jobs: readonly Ended[]): Finding[] {
  const over = jobs.filter(isEnded);
  const lines = over.flatMap(linesOf);
  const known = new Map(booked.map((entry) => [entry.id, entry]));
  return [
    ...jobs.filter(({ job }) => job === null).map(hung),
    ...ownership(booked, lines),
    ...lines.flatMap((line) => agreement(line, known.get(line.prediction.id))),
    ...booked.flatMap(stillAlive),
    ...over.flatMap((ended) => [
      ...completeness(ended),
      ...jobEnding(ended),
      ...halting(ended),
      ...clipFindings(ended, known),
      ...moneyFindings(ended, known),
      ...budgetFindings(ended, known),
      ...wordFindings(ended),
    ]),
  ];
}

const hung = ({ scheduled }: Ended): Finding => find('hung', `${scheduled.job_id} did not end`);

/** A1 */
function ownership(booked: readonly Booked[], lines: readonly Line[]): Finding[] {
  const owners = groupBy(lines, ({ prediction }) => prediction.id);
  return booked.flatMap(({ id, status, prompt }) => {
    const found = owners.get(id) ?? [];
    if (found.length === 0) return find('orphaned', `${id} (${status}) of nobody: ${prompt}`);
    const names = found.map(({ ended, clip }) => nameOf(ended, clip)).join(', ');
    return expectThat(
      found.length === 1,
      'double',
      () => `${id} stands in several lines: ${names}`,
    );
  });
}

/** A1 */
function agreement({ ended, clip, prediction }: Line, entry: Booked | undefined): Finding[] {
  const name = `${nameOf(ended, clip)}: ${prediction.id}`;
  if (entry === undefined) return [find('disagreement', `${name} is unknown to the provider`)];
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

const stillAlive = ({ id, status, prompt }: Booked): Finding[] =>
  expectThat(
    status !== 'starting' && status !== 'processing',
    'alive',
    () => `${id} is still ${status}: ${prompt}`,
  );

/** A6 */
function completeness({ scheduled, job, log }: Over): Finding[] {
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

/** A6 */
function jobEnding(ended: Over): Finding[] {
  const { job_id, status, error } = ended.job;
  const [good, fewest] = [successesOf(ended.job), fewestOf(ended)];
  const isFine =
    (status === 'succeeded' && good >= fewest) ||
    (status === 'failed' && good < fewest && error?.kind === 'insufficient_clips') ||
    (status === 'canceled' && wasCanceled(ended, null)) ||
    // Nothing was left to be retried.
    (status === 'failed' && wasTerminated(ended) && good === ended.job.clips.length);
  const why = error === null ? '' : ` (${error.kind}: ${error.message})`;
  return expectThat(
    isFine,
    'wrong_end',
    () =>
      `${job_id} is ${status}${why} with ${String(good)} good clips of ${String(fewest)} needed`,
  );
}

/** What halts a job starts none of its clips any more, until somebody asks for clips again. */
function halting({ job, log }: Over): Finding[] {
  let halt: string | null = null;
  return log.flatMap((event) => {
    if (event.type === 'job.started' || beginsRound(event)) halt = null;
    if (event.type === 'clip.failed' && event.clip.error !== null) {
      const { kind } = event.clip.error;
      if (ruleOf(kind).halts) halt = kind;
    }
    if (event.type !== 'clip.started' || halt === null) return [];
    const says = `${job.job_id} clip ${String(event.clip_index)} was started after ${halt}`;
    return find('wrong_end', says);
  });
}
