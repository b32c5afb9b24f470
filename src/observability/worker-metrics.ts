/**
 * What a worker counts and measures. The decorators in measured-work.ts call it; the page `/metrics` of the worker shows it.
 *
 * WORKER-METRICS-1 Each label has few values: models are those of the catalogue, everything else is `other`.
 * WORKER-METRICS-2 A prediction is billed once, however many activities and signals tell of it.
 */
import { Counter, Histogram, Registry } from 'prom-client';
import type { CreateOutcome, ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import type { Job, JobEvent, Prediction } from '../domain/job/job.schema.js';

const PREFIX = 'clip_generator_worker_';

const COUNTERS = {
  clips_total: [
    'Clips of jobs that ended: succeeded, canceled, or the kind of failure.',
    ['model', 'outcome'],
  ],
  attempts_total: [
    'Attempts that ended: succeeded, canceled, or the kind of failure.',
    ['model', 'outcome'],
  ],
  paid_usd_total: ['Dollars that ended predictions have cost.', ['model']],
  wasted_usd_total: ['Dollars for predictions that ended without a video.', ['model']],
  unknown_costs_total: [
    'Predictions whose cost is not known: paid_usd_total lacks them.',
    ['model'],
  ],
  creates_total: ['Creates by outcome.', ['model', 'outcome']],
  provider_requests_total: [
    'Requests to the provider by operation and HTTP status; none: no answer came.',
    ['operation', 'status'],
  ],
  rate_waits_total: ['Creates that the provider made wait.', []],
  rate_wait_seconds_total: ['How long it made them wait.', []],
} as const satisfies Record<string, readonly [string, readonly string[]]>;

/** From a second to an hour: renders and waits. */
const LONG = [1, 3, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
const SHORT = [0.05, 0.2, 0.5, 1, 3, 10, 30, 120, 600];

const HISTOGRAMS = {
  queue_wait_seconds: ['From scheduled to started, of the paid activity.', [], LONG],
  render_seconds: [
    'From created to ended at the provider, of predictions that succeeded.',
    ['model'],
    LONG,
  ],
  download_seconds: ['Time to download a video, without the wait for a slot.', [], SHORT],
  store_seconds: ['Time to give a downloaded video its place in the store.', [], SHORT],
} as const satisfies Record<string, readonly [string, readonly string[], readonly number[]]>;

type CounterName = keyof typeof COUNTERS;
type HistogramName = keyof typeof HISTOGRAMS;
type Labels = Readonly<Record<string, string>>;

/** Without their prefix. */
export const WORKER_FIGURE_NAMES: readonly string[] = [
  ...Object.keys(COUNTERS),
  ...Object.keys(HISTOGRAMS),
];

const TERMINAL: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.canceled']);

/** Predictions and clips that were counted, the newest. */
const MAX_COUNTED = 20_000;

export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #models: ReadonlySet<string>;
  readonly #counters = new Map<string, Counter>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #counted = new Set<string>();
  readonly #readModels = new Map<string, string>();

  constructor(models: Iterable<string>) {
    this.#models = new Set(models);
    const registers = [this.registry];
    for (const [name, [help, labelNames]] of Object.entries(COUNTERS)) {
      const options = { name: `${PREFIX}${name}`, help, labelNames, registers };
      this.#counters.set(name, new Counter(options));
    }
    for (const [name, [help, labelNames, buckets]] of Object.entries(HISTOGRAMS)) {
      const options = { name: `${PREFIX}${name}`, help, labelNames, registers };
      this.#histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }));
    }
  }

  request(operation: string, status: number | 'none'): void {
    this.#count('provider_requests_total', { operation, status: String(status) });
  }

  create(model: string, outcome: CreateOutcome): void {
    this.#count('creates_total', { model, outcome: outcome.type });
    if (outcome.type !== 'throttled') return;
    this.#count('rate_waits_total', {});
    this.#count('rate_wait_seconds_total', {}, outcome.seconds);
  }

  attempt(model: string, outcome: string): void {
    this.#count('attempts_total', { model, outcome });
  }

  /** The line of a prediction that may have ended. */
  prediction(model: string, { id, status, completed_at, cost_usd, ...of }: Prediction): void {
    if (completed_at === null || !this.#isFirst(`prediction ${id}`)) return; // WORKER-METRICS-2
    if (status === 'succeeded') {
      this.measure('render_seconds', secondsFrom(of.created_at, completed_at), { model });
    }
    if (cost_usd === null) {
      this.#count('unknown_costs_total', { model });
      return;
    }
    this.#count('paid_usd_total', { model }, cost_usd);
    if (status !== 'succeeded') this.#count('wasted_usd_total', { model }, cost_usd);
  }

  /** Tells the model of a prediction that an activity settles. */
  read({ id, model }: Pick<ProviderPrediction, 'id' | 'model'>): void {
    this.#readModels.set(id, model);
    const [oldest] = this.#readModels.keys();
    if (this.#readModels.size > MAX_COUNTED && oldest !== undefined) {
      this.#readModels.delete(oldest);
    }
  }

  settled(prediction: Prediction | null, model?: string): void {
    if (prediction === null) return;
    this.prediction(model ?? this.#readModels.get(prediction.id) ?? '', prediction);
  }

  /** A job that ended: its clips, but for those that had ended before it was retried. */
  job(job: Pick<Job, 'job_id' | 'model' | 'clips'>, events: readonly JobEvent[]): void {
    const ends = events.slice(0, -1).filter(({ type }) => TERMINAL.has(type));
    const before = Date.parse(ends.at(-1)?.at ?? '');
    for (const { clip_index, status, error, completed_at, model = job.model } of job.clips) {
      if (Date.parse(completed_at ?? '') <= before) continue;
      // An end that is stored twice.
      if (!this.#isFirst(`clip ${job.job_id} ${String(clip_index)} ${completed_at ?? ''}`))
        continue;
      const outcome = status === 'failed' ? (error?.kind ?? 'internal') : status;
      this.#count('clips_total', { model, outcome });
    }
  }

  measure(name: HistogramName, seconds: number, labels: Labels = {}): void {
    if (!Number.isFinite(seconds)) return;
    this.#histograms.get(name)?.observe(this.#bounded(labels), Math.max(0, seconds));
  }

  #count(name: CounterName, labels: Labels, times = 1): void {
    this.#counters.get(name)?.inc(this.#bounded(labels), times);
  }

  /** WORKER-METRICS-1 */
  #bounded({ model, ...others }: Labels): Labels {
    if (model === undefined) return others;
    return { ...others, model: this.#models.has(model) ? model : 'other' };
  }

  #isFirst(what: string): boolean {
    if (this.#counted.has(what)) return false;
    this.#counted.add(what);
    const [oldest] = this.#counted;
    if (this.#counted.size > MAX_COUNTED && oldest !== undefined) this.#counted.delete(oldest);
    return true;
  }
}

const secondsFrom = (start: string, end: string): number =>
  (Date.parse(end) - Date.parse(start)) / 1000;
