/** The figures of a chaos run, and its last line. Pure. */
import type { SimulatorStats } from '../src/simulator/stats.js';
import { wasTerminated } from './evidence.js';
import type { JobEvidence, Finding, FindingKind } from './evidence.js';
import type { ProcessFault, Schedule } from './schedule.js';

/** What every kind of chaos run counts. */
export interface JobFigures {
  seed: number;
  jobs: number;
  clips: number;
  /** Workflows that were terminated, or may have been: the jobs were retried. */
  terminations: number;
  /** Of all jobs: one that continued as new has several. */
  runs: number;
  /** Faults of the provider that were injected. */
  faults: number;
  creates: number;
  /** Of the clips that were started. */
  creates_per_clip: number;
  succeeded: number;
  findings: Record<FindingKind, number>;
}

export interface Figures extends JobFigures {
  /** SIGKILL alone. */
  kills: number;
  kills_of: Record<ProcessFault['target'], number>;
  /** SIGTERM. */
  stops: number;
  suspends: number;
  /** Periods without any worker. */
  starves: number;
  /** Of a worker's clock. */
  jumps: number;
}

interface JobParts {
  plan: Pick<Schedule, 'seed' | 'jobs'>;
  jobs: readonly JobEvidence[];
  ledger: Pick<SimulatorStats, 'creates' | 'struck'>;
  findings: readonly Finding[];
  runs: number;
}

interface Parts extends JobParts {
  /** Faults of processes that were injected; a planned one is skipped where its target is down. */
  injected: readonly ProcessFault[];
}

const NOTHING: Record<FindingKind, number> = {
  lost: 0,
  orphaned: 0,
  overspent: 0,
  double: 0,
  hung: 0,
  diverged: 0,
  alive: 0,
  wrong_end: 0,
  disagreement: 0,
};

export const figuresOf = ({ injected, ...parts }: Parts): Figures => ({
  ...jobFiguresOf(parts),
  ...processFaultsOf(injected),
});

export function jobFiguresOf({ plan, jobs, ledger, findings, runs }: JobParts): JobFigures {
  const clips = jobs.flatMap(({ job }) => job?.clips ?? []);
  const started = clips.filter(({ predictions }) => predictions.length > 0).length;
  const counts = { ...NOTHING };
  for (const { kind } of findings) counts[kind] += 1;
  return {
    seed: plan.seed,
    jobs: plan.jobs.length,
    clips: plan.jobs.reduce((sum, { faults }) => sum + faults.length, 0),
    terminations: jobs.filter(wasTerminated).length,
    runs,
    faults: Object.values(ledger.struck).reduce((sum, count) => sum + count, 0),
    creates: ledger.creates,
    creates_per_clip: started === 0 ? 0 : ledger.creates / started,
    succeeded: clips.filter(({ status }) => status === 'succeeded').length,
    findings: counts,
  };
}

function processFaultsOf(injected: readonly ProcessFault[]) {
  const count = (isMeant: (fault: ProcessFault) => boolean): number =>
    injected.filter(isMeant).length;
  const killed = (target: ProcessFault['target']): number =>
    count((fault) => fault.kind === 'kill' && fault.target === target);
  return {
    kills: count(({ kind }) => kind === 'kill'),
    kills_of: { worker: killed('worker'), api: killed('api'), temporal: killed('temporal') },
    stops: count(({ kind }) => kind === 'stop'),
    suspends: count(({ kind }) => kind === 'suspend'),
    starves: count(({ kind }) => kind === 'starve'),
    jumps: count(({ kind }) => kind === 'jump'),
  };
}

export function lineOf(figures: Figures): string {
  return lineWith(figures, [
    `kills ${String(figures.kills)} (${countsOf(figures.kills_of)})`,
    `stops ${String(figures.stops)}`,
    `suspends ${String(figures.suspends)}`,
    `starves ${String(figures.starves)}`,
    `jumps ${String(figures.jumps)}`,
  ]);
}

/** `a 1, b 2` */
export const countsOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${String(count)}`)
    .join(', ');

/** The last line of a run, with its own words for the faults it injected. */
export function lineWith(figures: JobFigures, injected: readonly string[]): string {
  return [
    `seed ${String(figures.seed)}`,
    `jobs ${String(figures.jobs)}`,
    `clips ${String(figures.clips)} (${String(figures.succeeded)} stored)`,
    ...injected,
    `terminations ${String(figures.terminations)}`,
    `runs ${String(figures.runs)}`,
    `faults ${String(figures.faults)}`,
    `creates/clip ${figures.creates_per_clip.toFixed(2)}`,
    ...Object.entries(figures.findings).map(([kind, count]) => `${kind} ${String(count)}`),
  ].join(' · ');
}
