/**
 * The part of the audit about clips: what became of each, and of every prediction it had. Each round of a clip is
 * judged by itself: what one was allowed excuses no other. Pure.
 *
 * A2 what succeeded at the provider is stored, or its clip says why not; and nobody else ends a prediction.
 * A3 a round has one prediction, an attempt has one; more only as the clip's own faults cost. And nobody but a person
 *    asks for another round.
 * A5 a clip that did not succeed says a reason that its faults, its cap, its time or what people did explain.
 */
import type { FailureKind } from '../src/domain/job/failures.js';
import type { Job } from '../src/domain/job/job.schema.js';
import { mostHeard, wasCanceled } from './answers.js';
import { expectThat, find, groupBy, nameOf, troubleOf } from './evidence.js';
import type { Ended, Finding, Known, Over } from './evidence.js';
import { clipEventsOf, roundsOf } from './rounds.js';
import type { Round } from './rounds.js';

interface Around {
  ended: Over;
  round: Round;
  /** Of all clips of the job, this one's among them. */
  rounds: readonly Round[];
}

export function clipFindings(ended: Over, known: Known): Finding[] {
  const rounds = ended.job.clips.flatMap((clip) => roundsOf(clip, ended.log));
  return [
    ...tooMany(ended, rounds),
    ...unasked(ended, rounds),
    ...rounds.flatMap((round) => [
      ...shared(ended, round),
      ...ending({ ended, round, rounds }),
      ...lost(ended, round, known),
      ...unstored(ended, round),
    ]),
  ];
}

/** A3: a fault strikes once an input, whatever the round, and whichever of two clips asked for the same. */
function tooMany(ended: Over, rounds: readonly Round[]): Finding[] {
  const { plan } = ended.scheduled;
  const prompts = new Map(plan.clip_prompts.map((clip, n) => [clip.clip_index ?? n, clip.prompt]));
  const alike = groupBy(rounds, ({ clip }) => prompts.get(clip.clip_index));
  return [...alike.values()].flatMap((group) => {
    const started = group.filter(({ predictions }) => predictions.length > 0);
    const [first] = started;
    if (first === undefined) return [];
    const { again, fails } = troubleOf(ended, first.clip);
    // What a clip may fail with strikes in every round.
    const cuts = started.reduce((sum, { cutOff }) => sum + cutOff, 0);
    // A run that goes on counts attempts anew.
    const most =
      started.length + (fails === null ? again : again * started.length + (again + 1) * cuts);
    const count = started.reduce((sum, { predictions }) => sum + predictions.length, 0);
    const names = [...new Set(started.map(({ clip }) => nameOf(ended, clip)))].join(', ');
    return expectThat(
      count <= most,
      'double',
      () =>
        `${names} has ${String(count)} predictions, its faults and rounds explain ${String(most)}`,
    );
  });
}

/** A3: one request for a retry begins at most one round of a clip that pays. */
function unasked(ended: Over, rounds: readonly Round[]): Finding[] {
  const most = 1 + mostHeard(ended, ({ kind }) => kind === 'retry');
  return [...groupBy(rounds, ({ clip }) => clip.clip_index)].flatMap(([clip_index, own]) => {
    const count = own.filter((round, at) => !isTakenUpAgain(round, own[at + 1])).length;
    return expectThat(
      count <= most,
      'double',
      () =>
        `${nameOf(ended, { clip_index })} has ${String(count)} rounds, people asked for ${String(most)}`,
    );
  });
}

/** A retry signals clip by clip; when its run closes between two of them, it goes on by a new run, with all of them. */
const isTakenUpAgain = ({ begunBy, predictions }: Round, next: Round | undefined): boolean =>
  begunBy === 'signal' && predictions.length === 0 && next?.begunBy === 'run';

/** A3; a run that goes on where another was cut off begins with attempt 1 again. */
function shared(ended: Over, { clip, predictions, cutOff }: Round): Finding[] {
  if (cutOff > 0 || troubleOf(ended, clip).late_twin === true) return [];
  const attempts = groupBy(predictions, ({ attempt }) => attempt);
  return [...attempts].flatMap(([attempt, lines]) =>
    expectThat(
      lines.length === 1,
      'double',
      () =>
        `${nameOf(ended, clip)}: ${String(lines.length)} predictions of attempt ${String(attempt)}`,
    ),
  );
}

/** A2: what is paid and not stored was spoiled by the clip's own faults, or somebody canceled. */
function lost(ended: Over, round: Round, known: Known): Finding[] {
  const { clip, predictions, isLast } = round;
  const { status, error } = clip;
  // Whether somebody did cancel, its end has to answer.
  if (status === 'canceled' && error?.kind === 'canceled') return [];
  const stored = isLast && status === 'succeeded' ? ended.stored.get(clip.clip_index) : undefined;
  const why = error === null ? '' : `: ${error.kind}: ${error.message}`;
  const is = `${nameOf(ended, clip)} is ${status}`;
  return predictions.flatMap(({ id }) => {
    const there = known.get(id)?.status;
    // A clip whose time is over ends what still renders.
    if (there === 'canceled' && error?.kind === 'timed_out') return [];
    if (there === 'canceled' && troubleOf(ended, clip).late_twin === true) return [];
    if (there === 'canceled') return find('lost', `${is}, ${id} was canceled${why}`);
    const isFine = there !== 'succeeded' || id === stored || troubleOf(ended, clip).spoils === true;
    return expectThat(isFine, 'lost', () => `${is}, ${id} succeeded${why}`);
  });
}

function unstored(ended: Over, { clip, predictions, isLast }: Round): Finding[] {
  if (!isLast || clip.status !== 'succeeded') return [];
  const stored = ended.stored.get(clip.clip_index);
  const isOwn = predictions.some(({ id }) => id === stored);
  const has = stored === undefined ? 'without a whole stored file' : `with the file of ${stored}`;
  return expectThat(isOwn, 'lost', () => `${nameOf(ended, clip)} succeeded ${has}`);
}

type Explains = (around: Around, kind: FailureKind) => boolean;

/** Whether it was too low, `audit-budget.ts` asks. */
const isUnderCap: Explains = ({ ended }) =>
  ended.scheduled.plan.max_cost_usd !== undefined ||
  mostHeard(ended, ({ kind }) => kind === 'raise_cap') > 0;

const isHalted: Explains = ({ ended }, kind) =>
  ended.scheduled.troubles.some(({ halts, fails }) => halts === true && fails?.includes(kind));

export const successesOf = ({ clips }: Job): number =>
  clips.filter(({ status }) => status === 'succeeded').length;

export const fewestOf = ({ scheduled: { plan } }: Ended): number => plan.min_successful_clips ?? 1;

/** Others came to nothing first, and in the end too few were good. */
const isUnreachable: Explains = ({ ended, round, rounds }) =>
  ended.scheduled.plan.stop_when_unreachable !== false &&
  rounds.some(({ clip }) => clip.error !== null && clip.error.kind !== 'unreachable') &&
  (!round.isLast || successesOf(ended.job) < fewestOf(ended));

/** Of clips that were never started: nothing was paid for them. */
const SKIPPED: Partial<Record<FailureKind, Explains>> = {
  over_budget: isUnderCap,
  unreachable: isUnreachable,
  insufficient_credit: isHalted,
  unauthorized: isHalted,
};

const isExplainedCancel: Explains = (around, kind) =>
  kind === 'canceled'
    ? wasCanceled(around.ended, around.round.clip.clip_index)
    : around.round.predictions.length === 0 && SKIPPED[kind]?.(around, kind) === true;

/** Milliseconds by which the log may hear late that a clip is asked for: Temporal and workers are killed meanwhile. */
const HEARD_LATE = 20_000;

/**
 * A clip's time counts from when the provider could first be asked for it. In a queue that nobody came for, or where its end
 * comes sooner after, it is no reason.
 */
const hadItsTime: Explains = ({ ended, round: { clip } }) => {
  const { clip_timeout } = ended.scheduled.plan;
  if (clip_timeout == null) return false;
  const own = clipEventsOf(ended.log).filter(
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

const isExplainedFailure: Explains = (around, kind) =>
  troubleOf(around.ended, around.round.clip).fails?.includes(kind) === true ||
  (kind === 'timed_out' && hadItsTime(around, kind)) ||
  (kind === 'over_budget' && isUnderCap(around, kind));

/** A5 */
function ending(around: Around): Finding[] {
  const { ended, round } = around;
  const { status, error } = round.clip;
  const isFine =
    status === 'succeeded' ||
    (status === 'canceled' && error !== null && isExplainedCancel(around, error.kind)) ||
    (status === 'failed' && error !== null && isExplainedFailure(around, error.kind));
  const tags = troubleOf(ended, round.clip).tags.join(' ') || 'no fault';
  const why = error === null ? '' : `: ${error.kind}: ${error.message}`;
  const paid =
    round.predictions.length === 0 ? '' : `, after ${String(round.predictions.length)} predictions`;
  return expectThat(
    isFine,
    'wrong_end',
    () => `${nameOf(ended, round.clip)} (${tags}) is ${status}${why}${paid}`,
  );
}
