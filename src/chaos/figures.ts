/** A chaos run in one line of figures. Pure. */
import type { Ended, Finding, Kind } from './evidence.js';
import type { Schedule } from './schedule.js';

export interface Figures {
  seed: number;
  jobs: number;
  clips: number;
  kills: number;
  kills_of: Record<string, number>;
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
  booked: { creates: number };
  kills: Record<string, number>;
  findings: readonly Finding[];
}

const NOTHING: Record<Kind, number> = {
  lost: 0,
  orphaned: 0,
  overspent: 0,
  double: 0,
  hung: 0,
  alive: 0,
  wrong_end: 0,
  disagreement: 0,
};

export function figuresOf({ plan, jobs, booked, kills, findings }: Parts): Figures {
  const clips = jobs.flatMap(({ job }) => job?.clips ?? []);
  const started = clips.filter(({ predictions }) => predictions.length > 0).length;
  const counts = { ...NOTHING };
  for (const { kind } of findings) counts[kind] += 1;
  return {
    seed: plan.seed,
    jobs: plan.jobs.length,
    clips: plan.jobs.reduce((sum, { troubles }) => sum + troubles.length, 0),
    kills: Object.values(kills).reduce((sum, count) => sum + count, 0),
    kills_of: kills,
    faults: plan.jobs.flatMap(({ troubles }) => troubles.flatMap(({ tags }) => tags)).length,
    creates: booked.creates,
    creates_per_clip: started === 0 ? 0 : booked.creates / started,
    succeeded: clips.filter(({ status }) => status === 'succeeded').length,
    findings: counts,
  };
}

export function lineOf(figures: Figures): string {
  const { findings, kills_of: whom } = figures;
  const hit = Object.entries(whom).map(([name, count]) => `${name} ${String(count)}`);
  return [
    `seed ${String(figures.seed)}`,
    `jobs ${String(figures.jobs)}`,
    `clips ${String(figures.clips)} (${String(figures.succeeded)} stored)`,
    `kills ${String(figures.kills)}${hit.length === 0 ? '' : ` (${hit.join(', ')})`}`,
    `faults ${String(figures.faults)}`,
    `creates/clip ${figures.creates_per_clip.toFixed(2)}`,
    ...Object.entries(findings).map(([kind, count]) => `${kind} ${String(count)}`),
  ].join(' · ');
}
