/**
 * Compares two sets of books after a chaos run: the provider's, which knows what was created and billed, and the
 * jobs' own ledgers. Pure. Whatever the two do not agree on, and whatever a promise forbids, is a finding.
 *
 * A1 every prediction stands in exactly one line of one ledger, and every line is a prediction.
 * A2 what succeeded at the provider is stored, or its clip says why not.
 * A3 a clip has no more predictions than its own faults cost, and an attempt has one.
 * A4 no job spends more than its cap, and what it says it spent is what was billed.
 */
import type { Clip, Job, Prediction } from '../domain/job.js';
import { addUsd } from '../domain/progress.js';
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

/** A job of the run, with how it ended and what is on disk for it. */
export interface Ended {
  scheduled: ScheduledJob;
  /** Null when it was not over in time. */
  job: Job | null;
  /** Ids of the predictions whose videos are stored, by clip_index. */
  stored: ReadonlyMap<number, string>;
  /** How often `retry` may have reached it: each is a new round of attempts. */
  retries: number;
}

export type Kind =
  'lost' | 'orphaned' | 'overspent' | 'double' | 'hung' | 'alive' | 'wrong_end' | 'disagreement';

export interface Finding {
  kind: Kind;
  says: string;
}

interface Line {
  ended: Ended;
  job: Job;
  clip: Clip;
  prediction: Prediction;
}

function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

const find = (kind: Kind, says: string): Finding => ({ kind, says });

export function audit(booked: readonly Booked[], jobs: readonly Ended[]): Finding[] {
  const lines = jobs.flatMap(linesOf);
  const known = new Map(booked.map((entry) => [entry.id, entry]));
  return [
    ...jobs.filter(({ job }) => job === null).map(hung),
    ...ownership(booked, lines, vanishing(jobs)),
    ...lines.flatMap((line) => agreement(line, known.get(line.prediction.id))),
    ...booked.flatMap((entry) => stillAlive(entry)),
    ...lines.flatMap((line) => lost(line, known.get(line.prediction.id))),
    ...jobs.flatMap((ended) => endings(ended)),
    ...jobs.flatMap((ended) => spending(ended, known)),
    ...jobs.flatMap((ended) => crowding(ended, known)),
  ];
}

const linesOf = (ended: Ended): Line[] =>
  (ended.job?.clips ?? []).flatMap((clip) =>
    clip.predictions.map((prediction) => ({ ended, job: ended.job as Job, clip, prediction })),
  );

const nameOf = ({ job, clip }: Pick<Line, 'job' | 'clip'>): string =>
  `${job.job_id} clip ${String(clip.clip_index)}`;

const hung = ({ scheduled }: Ended): Finding => find('hung', `${scheduled.job_id} did not end`);

/** Prompts of clips that nobody could find again. */
const vanishing = (jobs: readonly Ended[]): ReadonlySet<string> =>
  new Set(
    jobs.flatMap(({ scheduled: { plan, troubles } }) =>
      plan.clip_prompts.map(({ prompt }) => prompt).filter((_, n) => troubles[n]?.vanishes),
    ),
  );

/** A1 */
function ownership(
  booked: readonly Booked[],
  lines: readonly Line[],
  vanished: ReadonlySet<string>,
): Finding[] {
  const owners = groupBy(lines, ({ prediction }) => prediction.id);
  return booked.flatMap(({ id, status, prompt }) => {
    const found = owners.get(id) ?? [];
    if (found.length === 0 && status === 'succeeded' && vanished.has(prompt)) return [];
    if (found.length === 0) return find('orphaned', `${id} (${status}) of nobody: ${prompt}`);
    if (found.length === 1) return [];
    return find('double', `${id} stands in several lines: ${found.map(nameOf).join(', ')}`);
  });
}

function agreement(line: Line, entry: Booked | undefined): Finding[] {
  const { prediction } = line;
  if (entry === undefined) {
    return [find('disagreement', `${nameOf(line)}: ${prediction.id} is unknown to the provider`)];
  }
  const ours = { status: prediction.status, billed: prediction.billed, usd: prediction.cost_usd };
  const theirs = { status: entry.status, billed: entry.billed, usd: entry.usd };
  const isSame =
    ours.status === theirs.status &&
    ours.billed === theirs.billed &&
    Math.abs((ours.usd ?? NaN) - theirs.usd) < 1e-6;
  if (isSame) return [];
  const says = `${nameOf(line)}: ${prediction.id} is ${JSON.stringify(ours)} here and ${JSON.stringify(theirs)} there`;
  return [find('disagreement', says)];
}

const stillAlive = ({ id, status, prompt }: Booked): Finding[] =>
  status === 'starting' || status === 'processing'
    ? [find('alive', `${id} is still ${status}: ${prompt}`)]
    : [];

const troubleOf = ({ scheduled }: Ended, { clip_index }: Clip): Trouble =>
  scheduled.troubles[clip_index] ?? NONE;

/** A2: of a clip that succeeded, only what its own faults spoiled may have succeeded besides. */
function lost(line: Line, entry: Booked | undefined): Finding[] {
  const { ended, clip, prediction } = line;
  if (entry?.status !== 'succeeded') return [];
  if (ended.stored.get(clip.clip_index) === prediction.id && clip.status === 'succeeded') return [];
  const trouble = troubleOf(ended, clip);
  if (clip.status === 'canceled' || trouble.spoils) return [];
  // An earlier round may have been canceled, or have failed as its faults have it.
  if (ended.retries > 0 && clip.status === 'succeeded') return [];
  if (clip.status === 'failed' && trouble.fails?.some((kind) => kind === clip.error?.kind))
    return [];
  const why = clip.error === null ? '' : `: ${clip.error.kind}: ${clip.error.message}`;
  return [find('lost', `${nameOf(line)} is ${clip.status}, ${prediction.id} succeeded${why}`)];
}

const SKIPPED = new Set(['over_budget', 'unreachable', 'insufficient_credit', 'unauthorized']);

/** A3, and that clips end as they should. */
function endings(ended: Ended): Finding[] {
  const { job } = ended;
  if (job === null) return [];
  return job.clips.flatMap((clip) => [
    ...predictionsOf(ended, job, clip),
    ...ending(ended, job, clip),
    ...(clip.status === 'succeeded' && !ended.stored.has(clip.clip_index)
      ? [find('lost', `${nameOf({ job, clip })} succeeded without a stored file`)]
      : []),
  ]);
}

function predictionsOf(ended: Ended, job: Job, clip: Clip): Finding[] {
  const rounds = 1 + ended.retries;
  const most = (1 + troubleOf(ended, clip).again) * rounds;
  const name = nameOf({ job, clip });
  const tooMany =
    clip.predictions.length > most
      ? [
          find(
            'double',
            `${name} has ${String(clip.predictions.length)} predictions, its faults explain ${String(most)}`,
          ),
        ]
      : [];
  const attempts = groupBy(clip.predictions, ({ attempt }) => attempt);
  const shared = [...attempts].filter(([, lines]) => lines.length > rounds);
  return [
    ...tooMany,
    ...shared.map(([attempt, lines]) =>
      find('double', `${name}: ${String(lines.length)} predictions of attempt ${String(attempt)}`),
    ),
  ];
}

function ending(ended: Ended, job: Job, clip: Clip): Finding[] {
  const { fails } = troubleOf(ended, clip);
  const { status, error } = clip;
  const kind = error?.kind ?? null;
  const isFine =
    (status === 'succeeded' && (fails === null || ended.retries > 0 || fails.length > 0)) ||
    (status === 'canceled' && isCancelExplained(ended, clip, kind)) ||
    (status === 'failed' &&
      ((kind !== null && fails?.some((allowed) => allowed === kind) === true) ||
        (kind === 'over_budget' && job.max_cost_usd !== null)));
  if (isFine) return [];
  const tags = troubleOf(ended, clip).tags.join(' ') || 'no fault';
  return [
    find(
      'wrong_end',
      `${nameOf({ job, clip })} (${tags}) is ${status}${error === null ? '' : `: ${error.kind}: ${error.message}`}`,
    ),
  ];
}

function isCancelExplained({ scheduled }: Ended, clip: Clip, kind: string | null): boolean {
  if (kind !== null && SKIPPED.has(kind)) return true;
  return scheduled.acts.some(
    (act) =>
      act.kind === 'cancel' || (act.kind === 'cancel_clip' && act.clip_index === clip.clip_index),
  );
}

/** A4 */
function spending({ job }: Ended, known: ReadonlyMap<string, Booked>): Finding[] {
  if (job === null) return [];
  const ids = job.clips.flatMap(({ predictions }) => predictions.map(({ id }) => id));
  const billed = addUsd(...[...new Set(ids)].map((id) => known.get(id)?.usd ?? 0));
  const { job_id, max_cost_usd: cap, total_cost_usd: said } = job;
  return [
    ...(cap !== null && billed > cap + 1e-6
      ? [find('overspent', `${job_id} was billed $${String(billed)} with a cap of $${String(cap)}`)]
      : []),
    ...(Math.abs(billed - said) > 1e-6
      ? [find('disagreement', `${job_id} says $${String(said)}, billed was $${String(billed)}`)]
      : []),
  ];
}

/** Never more than batch_size predictions of a job at the same time. */
function crowding({ job }: Ended, known: ReadonlyMap<string, Booked>): Finding[] {
  if (job === null) return [];
  const moments = job.clips
    .flatMap(({ predictions }) => predictions)
    .flatMap(({ id }) => {
      const entry = known.get(id);
      if (entry === undefined) return [];
      const end = entry.completed_at === null ? Infinity : Date.parse(entry.completed_at);
      return [
        { at: Date.parse(entry.created_at), change: 1 },
        { at: end, change: -1 },
      ];
    })
    // Ends first: one may begin in the millisecond in which another ends.
    .sort((a, b) => a.at - b.at || a.change - b.change);
  let alive = 0;
  let most = 0;
  for (const { change } of moments) most = Math.max(most, (alive += change));
  if (most <= job.batch_size) return [];
  return [
    find(
      'overspent',
      `${job.job_id} had ${String(most)} predictions at once, its batches are of ${String(job.batch_size)}`,
    ),
  ];
}
