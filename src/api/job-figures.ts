/**
 * What jobs add to /metrics. Each job is reduced to a few sums once; the page of figures only adds them up. Pure.
 *
 * F1 what is called `total` comes from finished jobs alone, so that it never falls because nobody looks at a job.
 * F2 an unknown price or length adds nothing, and is not counted as zero where that would show in an average.
 */
import type { Clip, Job } from '../domain/job.js';
import { unknownCostsOf } from '../domain/progress.js';
import { family, labelsOf } from './exposition.js';
import type { MetricType } from './exposition.js';

const FAMILIES = {
  jobs: ['gauge', 'Jobs by state: those that ended, and those followed now.'],
  clips: ['gauge', 'Clips of these jobs, by state and kind of failure.'],
  running_predictions: ['gauge', 'Predictions not over, of jobs followed now.'],
  running_cost_usd: ['gauge', 'What jobs followed now have cost so far.'],
  running_unknown_costs: [
    'gauge',
    'Predictions of jobs followed now whose cost is not known: running_cost_usd lacks them.',
  ],
  predictions_total: ['counter', 'Predictions of finished jobs, by how they ended.'],
  estimated_cost_usd_total: ['counter', 'What finished jobs were estimated to cost.'],
  buffer_cost_usd_total: ['counter', 'What of the estimates is for durations above the closest.'],
  cost_usd_total: ['counter', 'What finished jobs have cost, retries included.'],
  unknown_costs_total: [
    'counter',
    'Predictions of finished jobs whose cost is not known: cost_usd_total lacks them.',
  ],
  requested_duration_seconds: ['summary', 'Durations asked for, of clips that were measured.'],
  actual_duration_seconds: ['summary', 'Durations of the same clips as measured.'],
} as const satisfies Record<string, readonly [MetricType, string]>;

type Family = keyof typeof FAMILIES;

/** Without their prefix. */
export const FIGURE_NAMES = Object.keys(FAMILIES) as readonly Family[];

/** `suffix` is that of a summary's line. */
interface Sample {
  family: Family;
  suffix: '' | '_sum' | '_count';
  labels: string;
  value: number;
}

export type Figures = readonly Sample[];

const PREFIX = 'clip_generator_';

/** Of a job that is not over. */
export function liveFigures(job: Job): Figures {
  const sums = new Sums();
  count(sums, job);
  const labels = moneyLabels(job);
  const open = predictionsOf(job).filter(({ completed_at }) => completed_at === null);
  sums.add('running_predictions', labels, open.length);
  sums.add('running_cost_usd', labels, job.total_cost_usd);
  sums.add('running_unknown_costs', labels, unknownCostsOf(job.clips));
  return sums.samples();
}

/** Of a finished job: F1. Its counts do not hold while it runs again. */
export function finishedFigures(job: Job): { counts: Figures; totals: Figures } {
  const counts = new Sums();
  count(counts, job);
  const totals = new Sums();
  const labels = moneyLabels(job);
  for (const { status, billed, adopted } of predictionsOf(job)) {
    const told = { ...labels, status, billed: wordOf(billed), adopted: String(adopted) };
    totals.add('predictions_total', told, 1);
  }
  totals.add('cost_usd_total', labels, job.total_cost_usd);
  totals.add('unknown_costs_total', labels, unknownCostsOf(job.clips));
  for (const clip of job.clips) {
    totals.add('estimated_cost_usd_total', labels, clip.estimated_cost_usd ?? 0);
    totals.add('buffer_cost_usd_total', labels, bufferCost(clip));
    if (clip.actual_duration === null) continue; // F2
    const model = { model: job.model };
    totals.add('requested_duration_seconds', model, clip.requested_duration, '_sum');
    totals.add('requested_duration_seconds', model, 1, '_count');
    totals.add('actual_duration_seconds', model, clip.actual_duration, '_sum');
    totals.add('actual_duration_seconds', model, 1, '_count');
  }
  return { counts: counts.samples(), totals: totals.samples() };
}

export function renderFigures(all: Iterable<Figures>): string[] {
  const sums = new Sums();
  for (const figures of all) sums.take(figures);
  const samples = sums.samples();
  return FIGURE_NAMES.flatMap((name) => {
    const [type, help] = FAMILIES[name];
    const lines = samples
      .filter((sample) => sample.family === name)
      .map(({ suffix, labels, value }) => `${PREFIX}${name}${suffix}{${labels}} ${String(value)}`)
      .sort();
    return family(`${PREFIX}${name}`, type, help, lines);
  });
}

function count(sums: Sums, job: Job): void {
  const { model } = job;
  sums.add('jobs', { model, status: job.status }, 1);
  for (const { status, error } of job.clips) {
    const kind = status === 'failed' || status === 'canceled' ? (error?.kind ?? null) : null;
    sums.add('clips', { model, status, kind }, 1);
  }
}

const predictionsOf = (job: Job) => job.clips.flatMap(({ predictions }) => predictions);
const moneyLabels = ({ model, simulated }: Job) => ({ model, simulated: String(simulated) });
const wordOf = (value: boolean | null): string => (value === null ? 'unknown' : String(value));

/** The estimate, less what the closest legal duration would cost. */
const bufferCost = ({ estimated_cost_usd, cost_increase_percent }: Clip): number =>
  (estimated_cost_usd ?? 0) * (1 - 100 / (100 + cost_increase_percent));

class Sums {
  readonly #samples = new Map<string, Sample>();

  add(
    name: Family,
    labels: Readonly<Record<string, string | null>>,
    value: number,
    suffix: Sample['suffix'] = '',
  ): void {
    this.#plus({ family: name, suffix, labels: labelsOf(labels), value });
  }

  take(figures: Figures): void {
    for (const sample of figures) this.#plus(sample);
  }

  samples(): Sample[] {
    return [...this.#samples.values()].map((sample) => ({
      ...sample,
      // Sums of floats read as written.
      value: Math.round(sample.value * 1e6) / 1e6,
    }));
  }

  #plus(sample: Sample): void {
    const key = `${sample.family}${sample.suffix}{${sample.labels}`;
    const known = this.#samples.get(key);
    if (known === undefined) this.#samples.set(key, { ...sample });
    else known.value += sample.value;
  }
}
