/**
 * The metrics of Temporal's SDK, in a registry of prom-client: the SDK's own exporter would listen on a second port. The SDK
 * has one runtime in a process, so there is one buffer, which is emptied for as long as the process lives.
 *
 * SDK-METRICS-1 A metric keeps only labels of LABELS, all of which have few values.
 */
import { MetricsBuffer } from '@temporalio/worker';
import type { BufferedMetricUpdate } from '@temporalio/worker';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const LABELS: readonly string[] = [
  ...['namespace', 'task_queue', 'worker_type', 'poller_type', 'task_type'],
  ...['workflow_type', 'activity_type', 'operation', 'status_code', 'failure_reason'],
];

/** Updates that are kept between two readings; further ones are lost. */
const BUFFERED = 20_000;
/** Milliseconds between two readings. */
const READING = 1_000;
const SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1_800];

type Metric = Counter | Gauge | Histogram;

export class SdkMetrics {
  readonly registry = new Registry();
  readonly buffer = new MetricsBuffer({ maxBufferSize: BUFFERED, useSecondsForDurations: true });
  readonly #metrics = new Map<string, Metric>();

  constructor() {
    setInterval(() => {
      this.read();
    }, READING).unref();
  }

  /** What happened since the last reading. Nothing, where the runtime was installed without the buffer. */
  read(): void {
    for (const update of this.buffer.retrieveUpdates()) {
      try {
        this.apply(update);
      } catch {
        // A metric that prom-client refuses is left out.
      }
    }
  }

  apply({ metric: { name, kind, description }, value, attributes }: BufferedMetricUpdate): void {
    const labels = Object.fromEntries(
      Object.entries(attributes).flatMap(([label, of]) =>
        LABELS.includes(label) ? [[label, String(of)]] : [],
      ),
    );
    const metric = this.#metrics.get(name) ?? this.#add(name, kind, description);
    if (metric instanceof Histogram) metric.observe(labels, value);
    else if (metric instanceof Gauge && kind === 'gauge') metric.set(labels, value);
    else metric.inc(labels, value);
  }

  #add(
    name: string,
    kind: BufferedMetricUpdate['metric']['kind'],
    description: string | undefined,
  ): Metric {
    const options = {
      name,
      help: description || 'A metric of the Temporal SDK.',
      labelNames: LABELS,
      registers: [this.registry],
    };
    const metric =
      kind === 'histogram'
        ? new Histogram({ ...options, buckets: SECONDS })
        : kind === 'counter'
          ? new Counter(options)
          : new Gauge(options);
    this.#metrics.set(name, metric);
    return metric;
  }
}

let ofProcess: SdkMetrics | null = null;

export const sdkMetrics = (): SdkMetrics => (ofProcess ??= new SdkMetrics());
