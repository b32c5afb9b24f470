/** The API's own figures: a handful of counters and gauges, and no library for it. */
import { family, labelsOf } from './exposition.js';

export interface Metrics {
  countRequest(labels: { method: string; route: string; status: number }, seconds: number): void;
  count(name: CounterName): void;
  /** As lines; `more` are gauges read just now. */
  render(more: Record<string, number>): string[];
}

const COUNTERS = {
  jobs_started_total: 'Jobs started through this process.',
  event_streams_dropped_total: 'Event streams dropped because their reader did not read.',
  webhooks_taken_total: 'Webhooks of the provider that were its own.',
  webhooks_refused_total: 'Webhooks whose signature was wrong, or could not be checked.',
} as const;
type CounterName = keyof typeof COUNTERS;

const GAUGES: Readonly<Record<string, string>> = {
  open_event_streams: 'Event streams open now.',
  watched_jobs: 'Jobs that this process follows now.',
  temporal_up: 'Did Temporal answer just now?',
  running_jobs: 'Jobs that run now, as Temporal counts them.',
  workers: 'Worker processes that polled within the last minute.',
  resident_memory_bytes: 'Memory of this process.',
  uptime_seconds: 'Since this process began to serve.',
};

/** Without their prefix. */
export const API_FIGURE_NAMES: readonly string[] = [COUNTERS, GAUGES].flatMap((row) =>
  Object.keys(row),
);

const PREFIX = 'clip_generator_api_';
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10];

interface Timing {
  count: number;
  sum: number;
  buckets: number[];
}

export function createMetrics(gauges: Record<string, () => number>): Metrics {
  const counters = new Map<CounterName, number>();
  const requests = new Map<string, number>();
  const timings = new Map<string, Timing>();
  return {
    count(name) {
      counters.set(name, (counters.get(name) ?? 0) + 1);
    },
    countRequest({ method, route, status }, seconds) {
      const labels = labelsOf({ method, route });
      const full = labelsOf({ method, route, status: String(status) });
      requests.set(full, (requests.get(full) ?? 0) + 1);
      const timing = timings.get(labels) ?? { count: 0, sum: 0, buckets: BUCKETS.map(() => 0) };
      timings.set(labels, observe(timing, seconds));
    },
    render(more) {
      const now = {
        ...Object.fromEntries(Object.entries(gauges).map(([name, read]) => [name, read()])),
        ...more,
        resident_memory_bytes: process.memoryUsage.rss(),
        uptime_seconds: process.uptime(),
      };
      const names = Object.keys(COUNTERS) as CounterName[];
      return [
        ...names.flatMap((name) =>
          family(`${PREFIX}${name}`, 'counter', COUNTERS[name], [
            `${PREFIX}${name} ${String(counters.get(name) ?? 0)}`,
          ]),
        ),
        ...Object.entries(now).flatMap(([name, value]) =>
          family(`${PREFIX}${name}`, 'gauge', GAUGES[name] ?? name, [
            `${PREFIX}${name} ${String(value)}`,
          ]),
        ),
        ...family(
          `${PREFIX}requests_total`,
          'counter',
          'Requests answered.',
          [...requests].map(
            ([labels, value]) => `${PREFIX}requests_total{${labels}} ${String(value)}`,
          ),
        ),
        ...family(
          `${PREFIX}request_seconds`,
          'histogram',
          'Time to answer.',
          [...timings].flatMap(histogram),
        ),
      ];
    },
  };
}

const observe = ({ count, sum, buckets }: Timing, seconds: number): Timing => ({
  count: count + 1,
  sum: sum + seconds,
  buckets: buckets.map((value, place) => value + (seconds <= (BUCKETS[place] ?? 0) ? 1 : 0)),
});

const histogram = ([labels, { count, sum, buckets }]: [string, Timing]): string[] => {
  const name = `${PREFIX}request_seconds`;
  return [
    ...BUCKETS.map(
      (le, place) => `${name}_bucket{${labels},le="${String(le)}"} ${String(buckets[place] ?? 0)}`,
    ),
    `${name}_bucket{${labels},le="+Inf"} ${String(count)}`,
    `${name}_sum{${labels}} ${String(sum)}`,
    `${name}_count{${labels}} ${String(count)}`,
  ];
};
