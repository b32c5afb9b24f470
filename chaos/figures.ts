/** A chaos run in one line of figures. Pure. */
import { wasTerminated } from './evidence.js';
import type { Ended, Finding, Kind } from './evidence.js';
import type { Blow, Schedule } from './schedule.js';

export interface Figures {
  seed: number;
  jobs: number;
  clips: number;
  /** SIGKILL alone. */
  kills: number;
  kills_of: Record<Blow['whom'], number>;
  /** SIGTERM. */
  stops: number;
  suspends: number;
  /** Times in which there was no worker. */
  starves: number;
  /** Of a worker's clock. */
  jumps: number;
  /** Workflows that were terminated, or may have been: the jobs were retried. */
  terminations: number;
  /** Of all jobs: one that went on in a new run has several. */
  runs: number;
  /** That struck, not those that were planned. */
  faults: number;
  creates: number;
  /** Of the clips that were started. */
  creates_per_clip: number;
  succeeded: number;
  findings: Record<Kind, number>;
}

interface Parts {
  plan: Schedule;
  jobs: readonly Ended[];
  /** `struck`: how often each fault did, by name. */
  booked: { creates: number; struck: Record<string, number> };
  /** The blows that fell; of those that were planned, some find their victim down. */
  fallen: readonly Blow[];
  findings: readonly Finding[];
  runs: number;
}

const NOTHING: Record<Kind, number> = {
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

export function figuresOf({ plan, jobs, booked, fallen, findings, runs }: Parts): Figures {
  const clips = jobs.flatMap(({ job }) => job?.clips ?? []);
  const started = clips.filter(({ predictions }) => predictions.length > 0).length;
  const counts = { ...NOTHING };
  for (const { kind } of findings) counts[kind] += 1;
  return {
    seed: plan.seed,
    jobs: plan.jobs.length,
    clips: plan.jobs.reduce((sum, { troubles }) => sum + troubles.length, 0),
    ...blowsOf(fallen),
    terminations: jobs.filter(wasTerminated).length,
    runs,
    faults: Object.values(booked.struck).reduce((sum, count) => sum + count, 0),
    creates: booked.creates,
    creates_per_clip: started === 0 ? 0 : booked.creates / started,
    succeeded: clips.filter(({ status }) => status === 'succeeded').length,
    findings: counts,
  };
}

function blowsOf(fallen: readonly Blow[]) {
  const count = (isMeant: (blow: Blow) => boolean): number => fallen.filter(isMeant).length;
  const killed = (victim: Blow['whom']): number =>
    count(({ kind, whom }) => kind === 'kill' && whom === victim);
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
  const { findings, kills_of: whom } = figures;
  const hit = Object.entries(whom).map(([name, count]) => `${name} ${String(count)}`);
  return [
    `seed ${String(figures.seed)}`,
    `jobs ${String(figures.jobs)}`,
    `clips ${String(figures.clips)} (${String(figures.succeeded)} stored)`,
    `kills ${String(figures.kills)} (${hit.join(', ')})`,
    `stops ${String(figures.stops)}`,
    `suspends ${String(figures.suspends)}`,
    `starves ${String(figures.starves)}`,
    `jumps ${String(figures.jumps)}`,
    `terminations ${String(figures.terminations)}`,
    `runs ${String(figures.runs)}`,
    `faults ${String(figures.faults)}`,
    `creates/clip ${figures.creates_per_clip.toFixed(2)}`,
    ...Object.entries(findings).map(([kind, count]) => `${kind} ${String(count)}`),
  ].join(' · ');
}
