/** An entry of the index of finished jobs: enough to list, find and count a job without reading it. Pure. */
import type { Clip, Job, JobSummary } from './job.schema.js';
import { beginningsOf, summaryOf } from './job-summary.js';
import { isOver, unknownCostsOf } from './progress.js';

/** What one job adds to the metrics; keys are words joined with a slash. */
export interface JobSums {
  /** By status, and by status and kind of failure. */
  clips: Record<string, number>;
  /** By status, whether billed, and whether adopted. */
  predictions: Record<string, number>;
  estimated_cost_usd: number;
  /** The share of the estimates that pays for durations above the closest one. */
  buffer_cost_usd: number;
  /** Number of clips whose length was measured, and their total lengths. */
  measured: number;
  requested_duration: number;
  actual_duration: number;
}

export interface JobEntry {
  job: JobSummary & { completed_at: string };
  beginnings: string[];
  sums: JobSums;
}

/** Null for a job that is not over. */
export function entryOf(job: Job): JobEntry | null {
  if (!isOver(job.status)) return null;
  // Older releases did not count them, and knew no labels.
  const { labels = [] } = job as Partial<Job>;
  const whole = { ...job, labels, unknown_costs: unknownCostsOf(job.clips) };
  return {
    job: { ...summaryOf(whole), completed_at: job.completed_at ?? job.created_at },
    beginnings: beginningsOf(job.clips),
    sums: sumsOf(job),
  };
}

export function sumsOf(job: Job): JobSums {
  const sums: JobSums = {
    clips: {},
    predictions: {},
    estimated_cost_usd: 0,
    buffer_cost_usd: 0,
    measured: 0,
    requested_duration: 0,
    actual_duration: 0,
  };
  for (const clip of job.clips) {
    increment(sums.clips, [clip.status, ...kindOf(clip)]);
    for (const { status, billed, adopted } of clip.predictions) {
      increment(sums.predictions, [status, billed === null ? 'unknown' : String(billed), adopted]);
    }
    sums.estimated_cost_usd += clip.estimated_cost_usd ?? 0;
    sums.buffer_cost_usd += bufferCost(clip);
    if (clip.actual_duration === null) continue;
    sums.measured += 1;
    sums.requested_duration += clip.requested_duration;
    sums.actual_duration += clip.actual_duration;
  }
  return sums;
}

function increment(counts: Record<string, number>, words: readonly (string | boolean)[]): void {
  const name = words.join('/');
  counts[name] = (counts[name] ?? 0) + 1;
}

const kindOf = ({ status, error }: Clip): string[] =>
  (status === 'failed' || status === 'canceled') && error !== null ? [error.kind] : [];

/** The estimate minus the cost of the closest legal duration. */
const bufferCost = ({ estimated_cost_usd, cost_increase_percent }: Clip): number =>
  (estimated_cost_usd ?? 0) * (1 - 100 / (100 + cost_increase_percent));
