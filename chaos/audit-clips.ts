/**
 * The audit of clips: how each ended, and each of its predictions. Every round of a clip is judged by itself: what is
 * allowed in one excuses no other. Pure.
 *
 * AUDIT-2 A prediction that succeeded at the provider is stored, or its clip tells why not; a prediction is canceled
 *    only by its own clip's end.
 * AUDIT-3 A round has one prediction, an attempt has one; more only as far as the clip's faults cost more. Only a user's
 *    request begins another round.
 * AUDIT-5 A clip that did not succeed has a reason which its faults, its cap, its time or the users' requests explain.
 */
import { ruleOf } from '../src/domain/job/failures.js';
import type { FailureKind } from '../src/domain/job/failures.js';
import type { Job } from '../src/domain/job/job.schema.js';
import { maxCarriedOut, wasCanceled } from './requests.js';
import { expectThat, finding, groupBy, nameOf, faultsOf } from './evidence.js';
import type { JobEvidence, Finding, ProviderLedger, FinishedJob } from './evidence.js';
import { clipEventsOf, roundsOf } from './rounds.js';
import type { Round } from './rounds.js';

interface RoundContext {
  evidence: FinishedJob;
  round: Round;
  /** Of all clips of the job, this one's among them. */
  rounds: readonly Round[];
}

export function clipFindings(evidence: FinishedJob, ledger: ProviderLedger): Finding[] {
  const rounds = evidence.job.clips.flatMap((clip) => roundsOf(clip, evidence.log));
  return [
    ...excessPredictions(evidence, rounds),
    ...unrequestedRounds(evidence, rounds),
    ...rounds.flatMap((round) => [
      ...sharedAttempts(evidence, round),
      ...roundEnding({ evidence, round, rounds }),
      ...lost(evidence, round, ledger),
      ...unstored(evidence, round),
    ]),
  ];
}

/** AUDIT-3: a fault is injected once per input, over all rounds, and over clips with the same input. */
function excessPredictions(evidence: FinishedJob, rounds: readonly Round[]): Finding[] {
  const { plan } = evidence.scheduled;
  const prompts = new Map(plan.clip_prompts.map((clip, n) => [clip.clip_index ?? n, clip.prompt]));
  const alike = groupBy(rounds, ({ clip }) => prompts.get(clip.clip_index));
  return [...alike.values()].flatMap((group) => {
    const started = group.filter(({ predictions }) => predictions.length > 0);
    const [first] = started;
    if (first === undefined) return [];
    const { extra, fails } = faultsOf(evidence, first.clip);
    // A fault that ends the clip is injected in every round.
    const cuts = started.reduce((sum, { cutOff }) => sum + cutOff, 0);
    // A run that resumes the round counts attempts from 1 again.
    const most =
      started.length + (fails === null ? extra : extra * started.length + (extra + 1) * cuts);
    const count = started.reduce((sum, { predictions }) => sum + predictions.length, 0);
    const names = [...new Set(started.map(({ clip }) => nameOf(evidence, clip)))].join(', ');
    return expectThat(
      count <= most,
      'double',
      () =>
        `${names} has ${String(count)} predictions, its faults and rounds explain ${String(most)}`,
    );
  });
}

/** AUDIT-3: one retry request begins at most one round of a clip that pays. */
function unrequestedRounds(evidence: FinishedJob, rounds: readonly Round[]): Finding[] {
  const most = 1 + maxCarriedOut(evidence, ({ kind }) => kind === 'retry');
  return [...groupBy(rounds, ({ clip }) => clip.clip_index)].flatMap(([clip_index, own]) => {
    const count = own.filter((round, at) => !isContinuedByRun(round, own[at + 1])).length;
    return expectThat(
      count <= most,
      'double',
      () =>
        `${nameOf(evidence, { clip_index })} has ${String(count)} rounds, users requested ${String(most)}`,
    );
  });
}

/** A retry signals clip by clip. When the run closes between two signals, the retry continues as a new run with all of the clips. */
const isContinuedByRun = ({ begunBy, predictions }: Round, next: Round | undefined): boolean =>
  begunBy === 'signal' && predictions.length === 0 && next?.begunBy === 'run';

/** AUDIT-3; a run that resumes a round which was cut off begins with attempt 1 again. */
function sharedAttempts(evidence: FinishedJob, { clip, predictions, cutOff }: Round): Finding[] {
  if (cutOff > 0 || faultsOf(evidence, clip).late_duplicate === true) return [];
  const attempts = groupBy(predictions, ({ attempt }) => attempt);
  return [...attempts].flatMap(([attempt, lines]) =>
    expectThat(
      lines.length === 1,
      'double',
      () =>
        `${nameOf(evidence, clip)}: ${String(lines.length)} predictions of attempt ${String(attempt)}`,
    ),
  );
}

/** AUDIT-2: a paid render that is not stored was spoiled by the clip's own faults, or its clip was canceled. */
function lost(evidence: FinishedJob, round: Round, ledger: ProviderLedger): Finding[] {
  const { clip, predictions, isLast } = round;
  const { status, error } = clip;
  // `roundEnding` judges whether the cancellation was requested.
  if (status === 'canceled' && error?.kind === 'canceled') return [];
  const stored =
    isLast && status === 'succeeded' ? evidence.stored.get(clip.clip_index) : undefined;
  const why = error === null ? '' : `: ${error.kind}: ${error.message}`;
  const is = `${nameOf(evidence, clip)} is ${status}`;
  return predictions.flatMap(({ id }) => {
    const there = ledger.get(id)?.status;
    // A clip that has timed out cancels its running prediction.
    if (there === 'canceled' && error?.kind === 'timed_out') return [];
    if (there === 'canceled' && faultsOf(evidence, clip).late_duplicate === true) return [];
    if (there === 'canceled') return finding('lost', `${is}, ${id} was canceled${why}`);
    const isFine =
      there !== 'succeeded' || id === stored || faultsOf(evidence, clip).spoils === true;
    return expectThat(isFine, 'lost', () => `${is}, ${id} succeeded${why}`);
  });
}

function unstored(evidence: FinishedJob, { clip, predictions, isLast }: Round): Finding[] {
  if (!isLast || clip.status !== 'succeeded') return [];
  const stored = evidence.stored.get(clip.clip_index);
  const isOwn = predictions.some(({ id }) => id === stored);
  const has = stored === undefined ? 'without a whole stored file' : `with the file of ${stored}`;
  return expectThat(isOwn, 'lost', () => `${nameOf(evidence, clip)} succeeded ${has}`);
}

type Explains = (context: RoundContext, kind: FailureKind) => boolean;

/** `audit-budget.ts` checks whether the cap was too low. */
const isUnderCap: Explains = ({ evidence }) =>
  evidence.scheduled.plan.max_cost_usd !== undefined ||
  maxCarriedOut(evidence, ({ kind }) => kind === 'raise_cap') > 0;

const isHalted: Explains = ({ evidence }, kind) =>
  evidence.scheduled.faults.some(({ halts, fails }) => halts === true && fails?.includes(kind));

export const successesOf = ({ clips }: Job): number =>
  clips.filter(({ status }) => status === 'succeeded').length;

export const fewestOf = ({ scheduled: { plan } }: JobEvidence): number =>
  plan.min_successful_clips ?? 1;

/** Other clips failed first, and in the end too few succeeded. */
const isUnreachable: Explains = ({ evidence, round, rounds }) =>
  evidence.scheduled.plan.stop_when_unreachable !== false &&
  rounds.some(({ clip }) => clip.error !== null && clip.error.kind !== 'unreachable') &&
  (!round.isLast || successesOf(evidence.job) < fewestOf(evidence));

/** Why a clip was never started, and never paid for: one of these, or a failure of another clip that halts the job. */
const SKIPPED: Partial<Record<FailureKind, Explains>> = {
  over_budget: isUnderCap,
  unreachable: isUnreachable,
};

const isExplainedSkip: Explains = (context, kind) =>
  (ruleOf(kind).halts ? isHalted : SKIPPED[kind])?.(context, kind) === true;

const isExplainedCancel: Explains = (context, kind) =>
  kind === 'canceled'
    ? wasCanceled(context.evidence, context.round.clip.clip_index)
    : context.round.predictions.length === 0 && isExplainedSkip(context, kind);

/** Milliseconds by which the log may learn late that a clip was asked for: Temporal and workers are killed meanwhile. */
const HEARD_LATE = 20_000;

/**
 * A clip's time counts from the moment at which the provider could first be asked. Time in a queue without a worker is
 * not counted.
 */
const hadItsTime: Explains = ({ evidence, round: { clip } }) => {
  const { clip_timeout } = evidence.scheduled.plan;
  if (clip_timeout == null) return false;
  const own = clipEventsOf(evidence.log).filter(
    ({ clip_index, at }) =>
      clip_index === clip.clip_index &&
      at >= (clip.started_at ?? '') &&
      at <= (clip.completed_at ?? ''),
  );
  const asked = own.find((event) => event.clip.status !== 'queued' && event.type !== 'clip.failed');
  if (asked === undefined) return false;
  const had = Date.parse(clip.completed_at ?? '') - Date.parse(asked.at);
  return had > clip_timeout * 1000 - HEARD_LATE;
};

const isExplainedFailure: Explains = (context, kind) =>
  faultsOf(context.evidence, context.round.clip).fails?.includes(kind) === true ||
  (kind === 'timed_out' && hadItsTime(context, kind)) ||
  (kind === 'over_budget' && isUnderCap(context, kind));

/** AUDIT-5 */
function roundEnding(context: RoundContext): Finding[] {
  const { evidence, round } = context;
  const { status, error } = round.clip;
  const isFine =
    status === 'succeeded' ||
    (status === 'canceled' && error !== null && isExplainedCancel(context, error.kind)) ||
    (status === 'failed' && error !== null && isExplainedFailure(context, error.kind));
  const tags = faultsOf(evidence, round.clip).tags.join(' ') || 'no fault';
  const why = error === null ? '' : `: ${error.kind}: ${error.message}`;
  const paid =
    round.predictions.length === 0 ? '' : `, after ${String(round.predictions.length)} predictions`;
  return expectThat(
    isFine,
    'wrong_end',
    () => `${nameOf(evidence, round.clip)} (${tags}) is ${status}${why}${paid}`,
  );
}
