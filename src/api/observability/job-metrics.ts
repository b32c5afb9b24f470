/**
 * What jobs add to /metrics. Sums are kept as jobs end; the page of figures only writes them down. Pure.
 *
 * F1 what is called `total` comes from finished jobs alone, so that it never falls because nobody looks at a job.
 * F2 an unknown price or length adds nothing, and is not counted as zero where that would show in an average.
 */
import { sumsOf } from '../../domain/job/index-entry.js';
import type { JobEntry, JobSums } from '../../domain/job/index-entry.js';
import type { Job } from '../../domain/job/job.schema.js';
import { unknownCostsOf } from '../../domain/job/progress.js';
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
    const labels = moneyLabels(job); // F1
    for (const [words, count] of Object.entries(sums.predictions)) {
      const [status = '', billed = '', adopted = ''] = words.split('/');
      this.#add('predictions_total', { ...labels, status, billed, adopted }, count * times);
    }
    this.#add('cost_usd_total', labels, job.total_cost_usd * times);
    this.#add('unknown_costs_total', labels, job.unknown_costs * times);
    this.#add('estimated_cost_usd_total', labels, sums.estimated_cost_usd * times);
    this.#add('buffer_cost_usd_total', labels, sums.buffer_cost_usd * times);
    if (sums.measured === 0) return; // F2
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
      const [of = '', kind = null] = words.split('/');
      this.#add('clips', { model, status: of, kind }, count * times);
    }
  }

  render(): string[] {
    // Sums of floats read as written.
    const samples = [...this.#samples.values()].map((sample) => ({
      ...sample,
      value: Math.round(sample.value * 1e6) / 1e6,
    }));
    return FIGURE_NAMES.flatMap((name) => {
      const [type, help] = FAMILIES[name];
      const lines = samples
        .filter(({ family: of, value }) => of === name && !(isCount(of) && value === 0))
        .map(({ suffix, labels, value }) => `${PREFIX}${name}${suffix}{${labels}} ${String(value)}`)
        .sort();
      return family(`${PREFIX}${name}`, type, help, lines);
    });
  }

  #add(
    name: Family,
    labels: Readonly<Record<string, string | null>>,
    value: number,
    suffix: Sample['suffix'] = '',
  ): void {
    const sample = { family: name, suffix, labels: labelsOf(labels), value };
    const known = this.#samples.get(keyOf(sample));
    if (known === undefined) this.#samples.set(keyOf(sample), sample);
    else known.value += value;
  }
}

const keyOf = ({ family: name, suffix, labels }: Sample): string => `${name}${suffix}{${labels}`;
/** Nothing is there of a state that nobody is in any more. */
const isCount = (name: Family): boolean => name === 'jobs' || name === 'clips';
const moneyLabels = ({ model, simulated }: Pick<Job, 'model' | 'simulated'>) => ({
  model,
  simulated: String(simulated),
});
