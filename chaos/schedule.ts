/**
 * What a chaos run is going to do, drawn from its seed alone: jobs with their troubles, what people do to them
 * meanwhile, and which process is struck when. Pure. The same seed gives the same schedule; how the processes
 * interleave on a machine is not in it.
 */
import type { Plan } from '../src/domain/plan/plan.schema.js';
import { Random } from './random.js';
import { CREATES, FATAL, FILES, LATE_TWIN, NONE, READS, RUNS, together } from './troubles.js';
import type { Trouble } from './troubles.js';

export type Blow =
  | { kind: 'kill' | 'stop'; whom: 'worker' | 'api'; which: number; down: number }
  /** Suspended as by a laptop's lid, and continued after `down` seconds. */
  | { kind: 'suspend'; whom: 'worker'; which: number; down: number }
  /** No worker at all for `down` seconds: longer than the clips of some jobs have. */
  | { kind: 'starve'; whom: 'worker'; down: number }
  /** Its clock is suddenly an hour off, or right again. */
  | { kind: 'jump'; whom: 'worker'; which: number }
  /** Started again by its keeper. */
  | { kind: 'kill'; whom: 'temporal' };

export type Act =
  | { kind: 'cancel' }
  | { kind: 'cancel_clip'; clip_index: number }
  /** Paused for so many seconds. */
  | { kind: 'pause'; seconds: number }
  | { kind: 'retry' }
  | { kind: 'raise_cap'; max_cost_usd: number }
  /** Its workflow is terminated, and the job then retried. */
  | { kind: 'terminate' };

/** `at`: seconds since the run began; of acts, since the job was submitted. */
export type Timed<T> = T & { at: number };

export interface ScheduledJob {
  at: number;
  job_id: string;
  plan: Plan;
  /** By clip_index. */
  troubles: Trouble[];
  acts: Timed<Act>[];
}

export interface Schedule {
  seed: number;
  /** When the last blow has fallen and the last job was submitted. */
  seconds: number;
  jobs: ScheduledJob[];
  blows: Timed<Blow>[];
}

export interface ScheduleOptions {
  seed: number;
  minutes: number;
  /** In all; by default eight a minute. */
  jobs?: number;
  workers: number;
}

const JOBS_PER_MINUTE = 8;
/** Seconds between two blows, on average. */
const PEACE = 5;
/** Of the model that is used, for five seconds. */
const MODEL = 'kwaivgi/kling-v2.5-turbo-pro';
const CLIP_USD = 0.35;
/** Seconds that clips of a hurried job have: less than nobody is there for when workers are starved. */
const HURRIED = 40;
const STARVED = [45, 60] as const;

export function schedule({ seed, minutes, jobs, workers }: ScheduleOptions): Schedule {
  const seconds = minutes * 60;
  // One source for each, so that more jobs do not move the blows.
  const chance = { jobs: new Random(seed), blows: new Random(seed ^ 0x5bd1e995) };
  const count = jobs ?? Math.max(2, Math.round(minutes * JOBS_PER_MINUTE));
  const times = Array.from({ length: count }, () => chance.jobs.between(0, seconds * 0.85));
  return {
    seed,
    seconds,
    jobs: times
      .toSorted((a, b) => a - b)
      .map((at, index) => jobOf(chance.jobs, at, `chaos-${String(seed)}-${String(index)}`)),
    blows: blowsOf(chance.blows, seconds, workers),
  };
}

function jobOf(chance: Random, at: number, jobId: string): ScheduledJob {
  const count = chance.chance(0.12) ? chance.integer(12, 24) : chance.integer(2, 7);
  const kind = chance.weighted<keyof typeof TROUBLES>([
    { weight: 80, value: 'any' },
    { weight: 12, value: 'hurried' },
    { weight: 8, value: 'late' },
  ]);
  const troubles = Array.from({ length: count }, (_, index) => TROUBLES[kind](chance, index));
  // Two clips that ask for exactly the same: nothing but the claims tells their predictions apart.
  const twins = chance.chance(0.3) && kind !== 'late' ? chance.integer(1, count - 1) : null;
  const first = troubles[0] ?? NONE;
  if (twins !== null) troubles[twins] = first;
  const share = chance.chance(0.3) ? chance.between(0.5, 1.3) : null;
  const batch_size = chance.integer(2, 5);
  const dispatch = chance.chance(0.5) ? 'window' : 'batches';
  const min_successful_clips = chance.chance(0.8) ? 1 : Math.ceil(count / 2);
  // Less than the smallest success costs would be refused.
  // Of a late twin nobody knows in time.
  const cap =
    share === null || kind === 'late'
      ? null
      : capFor(Math.max(min_successful_clips, count * share));
  const plan: Plan = {
    job_id: jobId,
    model: MODEL,
    batch_size,
    dispatch,
    min_successful_clips,
    ...(cap === null ? {} : { max_cost_usd: cap }),
    ...(kind === 'hurried' ? { clip_timeout: HURRIED } : {}),
    clip_prompts: troubles.map((trouble, clip_index) => ({
      clip_index,
      prompt: promptOf(jobId, clip_index === twins ? 0 : clip_index, trouble),
      duration: 5,
    })),
  };
  // Whoever ends a clip before its late twin shows up leaves that to the provider's deadline.
  const acts = kind === 'late' ? [] : actsOf(chance, count, cap);
  return { at, job_id: jobId, plan, troubles, acts };
}

/** What goes wrong in the clips of a job, by the kind of the job. Nothing else takes the time of hurried ones. */
const TROUBLES = {
  any: (chance: Random) => troubleOf(chance),
  hurried: () => NONE,
  late: (_: Random, index: number) => (index === 0 ? LATE_TWIN : NONE),
} as const satisfies Record<string, (chance: Random, index: number) => Trouble>;

const promptOf = (jobId: string, index: number, { tags }: Trouble): string =>
  [`${jobId}, take ${String(index)}, a heron`, ...tags.map((tag) => `[[${tag}]]`)].join(' ');

const capFor = (clips: number): number => Math.ceil(CLIP_USD * clips * 100) / 100;

function troubleOf(chance: Random): Trouble {
  if (chance.chance(0.3)) return NONE;
  if (chance.chance(0.12)) return chance.pick(FATAL);
  const parts = [
    { odds: 0.55, from: CREATES },
    { odds: 0.45, from: RUNS },
    { odds: 0.25, from: READS },
    { odds: 0.25, from: FILES },
  ];
  return together(
    parts.filter(({ odds }) => chance.chance(odds)).map(({ from }) => chance.pick(from)),
  );
}

function actsOf(chance: Random, clips: number, cap: number | null): Timed<Act>[] {
  const at = (most: number): number => chance.between(0.2, most);
  // What is said to a workflow in the moment in which it is terminated may be lost: nothing else is said to this one.
  if (chance.chance(0.1)) return [{ at: at(25), kind: 'terminate' }];
  const acts: Timed<Act>[] = [];
  if (chance.chance(0.15)) acts.push({ at: at(25), kind: 'cancel' });
  for (let index = 0; index < clips; index++) {
    if (chance.chance(0.06)) acts.push({ at: at(20), kind: 'cancel_clip', clip_index: index });
  }
  if (chance.chance(0.15)) acts.push({ at: at(10), kind: 'pause', seconds: chance.between(1, 8) });
  if (chance.chance(0.2)) acts.push({ at: at(40), kind: 'retry' });
  if (cap !== null && chance.chance(0.3)) {
    acts.push({ at: at(20), kind: 'raise_cap', max_cost_usd: cap + CLIP_USD * 2 });
  }
  return acts.toSorted((a, b) => a.at - b.at);
}

function blowsOf(chance: Random, seconds: number, workers: number): Timed<Blow>[] {
  const blows: Timed<Blow>[] = [];
  const gap = (): number => -Math.log(1 - chance.next()) * PEACE + 0.5;
  for (let at = 2 + gap(); at < seconds; at += gap()) {
    const down = chance.chance(0.7) ? chance.between(0, 2) : chance.between(2, 12);
    const which = chance.integer(0, workers - 1);
    const starved = chance.between(...STARVED);
    const blow = chance.weighted<Blow>([
      { weight: 40, value: { kind: 'kill', whom: 'worker', which, down } },
      { weight: 20, value: { kind: 'stop', whom: 'worker', which, down } },
      { weight: 10, value: { kind: 'suspend', whom: 'worker', which, down: down + 4 } },
      { weight: 8, value: { kind: 'jump', whom: 'worker', which } },
      { weight: 2, value: { kind: 'starve', whom: 'worker', down: starved } },
      { weight: 10, value: { kind: 'kill', whom: 'api', which: 0, down } },
      { weight: 5, value: { kind: 'stop', whom: 'api', which: 0, down } },
      { weight: 12, value: { kind: 'kill', whom: 'temporal' } },
    ]);
    blows.push({ ...blow, at });
  }
  return blows;
}
