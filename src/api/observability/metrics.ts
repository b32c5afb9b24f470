/**
 * What `/metrics` answers, by prom-client: the API's own counters and gauges, the figures of jobs, and those of the process.
 *
 * METRICS-1 each app has a registry of its own; what Node tells of its process is collected once, however many apps there are.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { processRegistry } from '../../http/process-metrics.js';
import { exposeFigures, Figures } from './job-metrics.js';

/** Read at each scrape; one that is absent is not known now. */
interface CurrentValues {
  temporal_up: number;
  workers: number;
  running_jobs?: number;
}

export interface Metrics {
  countRequest(labels: { method: string; route: string; status: number }, seconds: number): void;
  count(name: CounterName): void;
  /** In Prometheus' text format. */
  exposition(now: CurrentValues, figures: Figures): Promise<string>;
  readonly contentType: string;
}

const COUNTERS = {
  jobs_started_total: 'Jobs started through this process.',
  event_streams_dropped_total: 'Event streams dropped because their reader did not read.',
  webhooks_taken_total: 'Webhooks of the provider that were its own.',
  webhooks_refused_total: 'Webhooks whose signature was wrong, or could not be checked.',
} as const;
type CounterName = keyof typeof COUNTERS;

const GAUGES = {
  open_event_streams: 'Event streams open now.',
  watched_jobs: 'Jobs that this process follows now.',
  temporal_up: 'Did Temporal answer just now?',
  running_jobs: 'Jobs that run now, as Temporal counts them.',
  workers: 'Worker processes that polled within the last minute.',
  resident_memory_bytes: 'Memory of this process.',
  uptime_seconds: 'Since this process began to serve.',
} as const;
type GaugeName = keyof typeof GAUGES;

const COUNTER_NAMES = Object.keys(COUNTERS) as readonly CounterName[];
const GAUGE_NAMES = Object.keys(GAUGES) as readonly GaugeName[];

/** Without their prefix. */
export const API_FIGURE_NAMES: readonly string[] = [...COUNTER_NAMES, ...GAUGE_NAMES];

const PREFIX = 'clip_generator_api_';
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10];

export function createMetrics(
  read: Record<'open_event_streams' | 'watched_jobs', () => number>,
): Metrics {
  const registry = new Registry();
  const described = (name: string, help: string) => ({
    name: `${PREFIX}${name}`,
    help,
    registers: [registry],
  });
  const counters = new Map(
    COUNTER_NAMES.map((name) => [name, new Counter(described(name, COUNTERS[name]))]),
  );
  const gauges = GAUGE_NAMES.map(
    (name) => [name, new Gauge(described(name, GAUGES[name]))] as const,
  );
  const requests = new Counter({
    ...described('requests_total', 'Requests answered.'),
    labelNames: ['method', 'route', 'status'],
  });
  const timings = new Histogram({
    ...described('request_seconds', 'Time to answer.'),
    labelNames: ['method', 'route'],
    buckets: BUCKETS,
  });
  let shown = new Figures();
  exposeFigures(registry, () => shown);
  const everything = Registry.merge([registry, processRegistry()]);

  return {
    count: (name) => counters.get(name)?.inc(),
    countRequest({ method, route, status }, seconds) {
      requests.inc({ method, route, status });
      timings.observe({ method, route }, seconds);
    },
    exposition(now, figures) {
      const values: Partial<Record<GaugeName, number>> = {
        open_event_streams: read.open_event_streams(),
        watched_jobs: read.watched_jobs(),
        resident_memory_bytes: process.memoryUsage.rss(),
        uptime_seconds: process.uptime(),
        ...now,
      };
      for (const [name, gauge] of gauges) {
        const value = values[name];
        if (value === undefined) gauge.remove();
        else gauge.set(value);
      }
      shown = figures;
      return everything.metrics();
    },
    contentType: everything.contentType,
  };
}
