/**
 * What a chaos run is going to do, drawn from its seed alone: jobs with their faults, the users' actions, and the faults of
 * processes. Pure. The same seed gives the same schedule; how the processes interleave is not in it.
 */
import type { Plan } from '../src/domain/plan/plan.schema.js';
import { Random } from './random.js';
import {
  CREATES,
  FATAL,
  FILES,
  LATE_DUPLICATE,
  NO_FAULTS,
  READS,
  RUNS,
  together,
} from './clip-faults.js';
import type { ClipFaults } from './clip-faults.js';

export type ProcessFault =
  | { kind: 'kill' | 'stop'; target: 'worker' | 'api'; index: number; down: number }
  /** Suspended, as by closing a laptop, and continued after `down` seconds. */
  | { kind: 'suspend'; target: 'worker'; index: number; down: number }
  /** No worker at all for `down` seconds: longer than the clips of some jobs have. */
  | { kind: 'starve'; target: 'worker'; down: number }
  /** Its clock jumps an hour off, or back. */
  | { kind: 'jump'; target: 'worker'; index: number }
  /** Restarted by src/embedded. */
  | { kind: 'kill'; target: 'temporal' };

export type Action =
  | { kind: 'cancel' }
  | { kind: 'cancel_clip'; clip_index: number }
  /** Paused for so many seconds. */
  | { kind: 'pause'; seconds: number }
  | { kind: 'retry' }
  | { kind: 'raise_cap'; max_cost_usd: number }
  /** Its workflow is terminated, and the job then retried. */
  | { kind: 'terminate' };

/** `at`: seconds since the run began; of actions, since the job was submitted. */
export type Timed<T> = T & { at: number };

export interface ScheduledJob {
  at: number;
  job_id: string;
  plan: Plan;
  /** By clip_index. */
  faults: ClipFaults[];
  actions: Timed<Action>[];
}

export interface Schedule {
  seed: number;
  /** Within which all faults are injected and all jobs submitted. */
  seconds: number;
  jobs: ScheduledJob[];
  process_faults: Timed<ProcessFault>[];
}

interface ScheduleOptions {
  seed: number;
  minutes: number;
  /** In all; by default eight a minute. */
  jobs?: number;
  workers: number;
}

const JOBS_PER_MINUTE = 8;
/** Seconds between two faults of processes, on average. */
const MEAN_GAP = 5;
const MODEL = 'kwaivgi/kling-v2.5-turbo-pro';
/** Of five seconds of it. */
const CLIP_USD = 0.35;
/** Timeout of clips of a hurried job in seconds: less than the time without workers. */
const HURRIED = 40;
const STARVED = [45, 60] as const;

export function schedule({ seed, minutes, jobs, workers }: ScheduleOptions): Schedule {
  const seconds = minutes * 60;
  // One source for each, so that more jobs do not move the faults.
  const chance = { jobs: new Random(seed), process_faults: new Random(seed ^ 0x5bd1e995) };
  const count = jobs ?? Math.max(2, Math.round(minutes * JOBS_PER_MINUTE));
  const times = Array.from({ length: count }, () => chance.jobs.between(0, seconds * 0.85));
  return {
    seed,
    seconds,
    jobs: times
      .toSorted((a, b) => a - b)
      .map((at, index) => jobOf(chance.jobs, at, `chaos-${String(seed)}-${String(index)}`)),
    process_faults: processFaultsOf(chance.process_faults, seconds, workers),
  };
}

function jobOf(chance: Random, at: number, jobId: string): ScheduledJob {
  const count = chance.chance(0.12) ? chance.integer(12, 24) : chance.integer(2, 7);
  const kind = chance.weighted<keyof typeof FAULTS_OF>([
    { weight: 80, value: 'any' },
    { weight: 12, value: 'hurried' },
    { weight: 8, value: 'late' },
  ]);
  const faults = Array.from({ length: count }, (_, index) => FAULTS_OF[kind](chance, index));
  // Two clips with the same input: only claims tell their predictions apart.
  const duplicate = chance.chance(0.3) && kind !== 'late' ? chance.integer(1, count - 1) : null;
  const first = faults[0] ?? NO_FAULTS;
  if (duplicate !== null) faults[duplicate] = first;
  const share = chance.chance(0.3) ? chance.between(0.5, 1.3) : null;
  const batch_size = chance.integer(2, 5);
  const dispatch = chance.chance(0.5) ? 'window' : 'batches';
  const min_successful_clips = chance.chance(0.8) ? 1 : Math.ceil(count / 2);
  // A cap below the smallest success would be refused. A late duplicate is not known in time to fit any cap.
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
    clip_prompts: faults.map((trouble, clip_index) => ({
      clip_index,
      prompt: promptOf(jobId, clip_index === duplicate ? 0 : clip_index, trouble),
      duration: 5,
    })),
  };
  // A clip that ends before its late duplicate is listed leaves the duplicate to the provider's deadline.
  const actions = kind === 'late' ? [] : actionsOf(chance, count, cap);
  return { at, job_id: jobId, plan, faults, actions };
}

/** Faults of the clips of a job, by the kind of job. Hurried jobs have none: only missing workers cost them time. */
const FAULTS_OF = {
  any: (chance: Random) => faultsOf(chance),
  hurried: () => NO_FAULTS,
  late: (_: Random, index: number) => (index === 0 ? LATE_DUPLICATE : NO_FAULTS),
} as const satisfies Record<string, (chance: Random, index: number) => ClipFaults>;

const promptOf = (jobId: string, index: number, { tags }: ClipFaults): string =>
  [`${jobId}, take ${String(index)}, a heron`, ...tags.map((tag) => `[[${tag}]]`)].join(' ');

/** As the API takes it: the sum of two amounts may be a hair off. */
const cents = (usd: number): number => Math.round(usd * 100) / 100;

const capFor = (clips: number): number => Math.ceil(CLIP_USD * clips * 100) / 100;

function faultsOf(chance: Random): ClipFaults {
  if (chance.chance(0.3)) return NO_FAULTS;
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

function actionsOf(chance: Random, clips: number, cap: number | null): Timed<Action>[] {
  const at = (most: number): number => chance.between(0.2, most);
  // A request at the moment of the termination may be lost, so this job gets no other.
  if (chance.chance(0.1)) return [{ at: at(25), kind: 'terminate' }];
  const actions: Timed<Action>[] = [];
  if (chance.chance(0.15)) actions.push({ at: at(25), kind: 'cancel' });
  for (let index = 0; index < clips; index++) {
    if (chance.chance(0.06)) actions.push({ at: at(20), kind: 'cancel_clip', clip_index: index });
  }
  if (chance.chance(0.15))
    actions.push({ at: at(10), kind: 'pause', seconds: chance.between(1, 8) });
  if (chance.chance(0.2)) actions.push({ at: at(40), kind: 'retry' });
  if (cap !== null && chance.chance(0.3)) {
    actions.push({ at: at(20), kind: 'raise_cap', max_cost_usd: cents(cap + CLIP_USD * 2) });
  }
  return actions.toSorted((a, b) => a.at - b.at);
}

function processFaultsOf(chance: Random, seconds: number, workers: number): Timed<ProcessFault>[] {
  const process_faults: Timed<ProcessFault>[] = [];
  const gap = (): number => -Math.log(1 - chance.next()) * MEAN_GAP + 0.5;
  for (let at = 2 + gap(); at < seconds; at += gap()) {
    const down = chance.chance(0.7) ? chance.between(0, 2) : chance.between(2, 12);
    const index = chance.integer(0, workers - 1);
    const starved = chance.between(...STARVED);
    const fault = chance.weighted<ProcessFault>([
      { weight: 40, value: { kind: 'kill', target: 'worker', index, down } },
      { weight: 20, value: { kind: 'stop', target: 'worker', index, down } },
      { weight: 10, value: { kind: 'suspend', target: 'worker', index, down: down + 4 } },
      { weight: 8, value: { kind: 'jump', target: 'worker', index } },
      { weight: 2, value: { kind: 'starve', target: 'worker', down: starved } },
      { weight: 10, value: { kind: 'kill', target: 'api', index: 0, down } },
      { weight: 5, value: { kind: 'stop', target: 'api', index: 0, down } },
      { weight: 12, value: { kind: 'kill', target: 'temporal' } },
    ]);
    process_faults.push({ ...fault, at });
  }
  return process_faults;
}
