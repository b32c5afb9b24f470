/**
 * What jobs add to /metrics. The sums are kept up to date as jobs end; a scrape only writes them out.
 *
 * FIGURES-1 what is called `total` comes from finished jobs alone, so that it does not fall when no reader follows a job.
 * FIGURES-2 an unknown price or length adds nothing, and is not counted as zero where that would show in an average.
 */
import { Counter, Gauge, Summary } from 'prom-client';
import type { Registry } from 'prom-client';
import { sumsOf } from '../../domain/job/index-entry.js';
import type { JobEntry, JobSums } from '../../domain/job/index-entry.js';
import type { Job } from '../../domain/job/job.schema.js';
import { unknownCostsOf } from '../../domain/job/progress.js';

const METRICS = { counter: Counter, gauge: Gauge, summary: Summary } as const;

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
} as const satisfies Record<string, readonly [keyof typeof METRICS, string]>;

type Family = keyof typeof FAMILIES;

/** Without their prefix. */
export const FIGURE_NAMES = Object.keys(FAMILIES) as readonly Family[];

type Labels = Readonly<Record<string, string>>;

/** `suffix` is that of a summary's line. */
interface Sample {
  family: Family;
  suffix: '' | '_sum' | '_count';
  labels: Labels;
  value: number;
}

type Counted = Pick<Job, 'model' | 'status'>;

const PREFIX = 'clip_generator_';

export class Figures {
  readonly #samples: Map<string, Sample>;

  constructor(samples: Iterable<Sample> = []) {
    this.#samples = new Map([...samples].map((sample) => [keyOf(sample), { ...sample }]));
  }

  copy(): Figures {
    return new Figures(this.#samples.values());
  }

  /** Of a job that is not over. */
  addLive(job: Job): void {
    this.addCounts(job, sumsOf(job));
    const labels = moneyLabels(job);
    const open = job.clips
      .flatMap(({ predictions }) => predictions)
      .filter(({ completed_at }) => completed_at === null);
    this.#add('running_predictions', labels, open.length);
    this.#add('running_cost_usd', labels, job.total_cost_usd);
    this.#add('running_unknown_costs', labels, unknownCostsOf(job.clips));
  }

  /** Of a finished job; -1 takes it away again, for one that ended once more. */
  addFinished({ job, sums }: Pick<JobEntry, 'job' | 'sums'>, times: 1 | -1 = 1): void {
    this.addCounts(job, sums, times);
    const labels = moneyLabels(job); // FIGURES-1
    for (const [words, count] of Object.entries(sums.predictions)) {
      const [status = '', billed = '', adopted = ''] = words.split('/');
      this.#add('predictions_total', { ...labels, status, billed, adopted }, count * times);
    }
    this.#add('cost_usd_total', labels, job.total_cost_usd * times);
    this.#add('unknown_costs_total', labels, job.unknown_costs * times);
    this.#add('estimated_cost_usd_total', labels, sums.estimated_cost_usd * times);
    this.#add('buffer_cost_usd_total', labels, sums.buffer_cost_usd * times);
    if (sums.measured === 0) return; // FIGURES-2
    const { model } = job;
    for (const which of ['requested', 'actual'] as const) {
      const name = `${which}_duration_seconds` as const;
      this.#add(name, { model }, sums[`${which}_duration`] * times, '_sum');
      this.#add(name, { model }, sums.measured * times, '_count');
    }
  }

  /** How jobs and clips stand: of a finished job, this does not hold while it runs again. */
  addCounts({ model, status }: Counted, { clips }: JobSums, times: 1 | -1 = 1): void {
    this.#add('jobs', { model, status }, times);
    for (const [words, count] of Object.entries(clips)) {
      const [of = '', kind] = words.split('/');
      this.#add('clips', { model, status: of, ...(kind && { kind }) }, count * times);
    }
  }

  samplesOf(name: Family) {
    return [...this.#samples]
      .filter(([, { family, value }]) => family === name && !(isCount(name) && value === 0))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, { suffix, labels, value }]) => ({
        metricName: `${PREFIX}${name}${suffix}`,
        labels,
        value: Math.round(value * 1e6) / 1e6, // sums of floats read as written
      }));
  }

  #add(name: Family, labels: Labels, value: number, suffix: Sample['suffix'] = ''): void {
    const sample = { family: name, suffix, labels, value };
    const known = this.#samples.get(keyOf(sample));
    if (known === undefined) this.#samples.set(keyOf(sample), sample);
    else known.value += value;
  }
}

/**
 * Shows what `figures` returns at each scrape. prom-client counts what happens in a process and lets a counter only grow; these
 * sums come from the index of finished jobs, a job that ended once more is taken out of them, and a summary has only its sum.
 */
export function exposeFigures(registry: Registry, figures: () => Figures): void {
  for (const name of FIGURE_NAMES) {
    const [type, help] = FAMILIES[name];
    const metric = new METRICS[type]({ name: `${PREFIX}${name}`, help, registers: [registry] });
    const described = metric.get.bind(metric);
    metric.get = async () => ({ ...(await described()), values: figures().samplesOf(name) });
  }
}

const keyOf = ({ family, suffix, labels }: Sample): string =>
  `${family}${suffix}${JSON.stringify(labels)}`;
/** A state that no job or clip is in any more has no line. */
const isCount = (name: Family): boolean => name === 'jobs' || name === 'clips';
const moneyLabels = ({ model, simulated }: Pick<Job, 'model' | 'simulated'>) => ({
  model,
  simulated: String(simulated),
});
