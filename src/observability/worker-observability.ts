/**
 * A worker that can be observed: its HTTP server, its readiness and its metrics. Loaded only where WORKER_HTTP_PORT is set.
 *
 * OBSERVE-1 The server listens before Temporal answers and until the worker has stopped, so that a probe always has an answer.
 */
import { Registry } from 'prom-client';
import type { Deps } from '../activities/deps.js';
import type { Activities, PaidActivities } from '../activities/index.js';
import type { Config } from '../config.js';
import {
  measuredActivities,
  measuredDeps,
  measuredFetch,
  measuredPaidActivities,
} from './measured-work.js';
import { processRegistry } from '../http/process-metrics.js';
import { sdkMetrics } from './sdk-metrics.js';
import { WorkerMetrics } from './worker-metrics.js';
import { json, listen } from './worker-server.js';

/** What the worker says of itself. */
export interface WorkerStatus {
  /** Does Temporal answer now? */
  temporal: boolean;
  /** Does every queue have a worker that polls? */
  polling: boolean;
  stopping: boolean;
}

export interface Observability {
  fetch(base: typeof fetch): typeof fetch;
  deps(deps: Deps): Deps;
  activities(activities: Activities): Activities;
  paidActivities(activities: PaidActivities): PaidActivities;
  close(): Promise<void>;
}

export async function observeWorker(
  config: Config,
  port: number,
  { status, now }: { status: () => Promise<WorkerStatus>; now: () => number },
): Promise<Observability> {
  const metrics = new WorkerMetrics(config.catalogue.keys());
  const sdk = sdkMetrics();
  const { host, keys, allowed_hosts } = config.api;
  const server = await listen(
    { host, port },
    { keys, allowed_hosts },
    {
      '/healthz': () => json(200, { status: 'ok' }),
      '/readyz': async () => {
        const state = await status();
        const ready = state.temporal && state.polling && !state.stopping;
        return json(ready ? 200 : 503, { ready, ...state });
      },
      '/metrics': async () => {
        sdk.read();
        // Metrics of the SDK appear when they are first used.
        const all = Registry.merge([metrics.registry, sdk.registry, processRegistry()]);
        return { status: 200, type: all.contentType, body: await all.metrics() };
      },
    },
  );
  return {
    fetch: (base) => measuredFetch(base, metrics),
    deps: (deps) => measuredDeps(deps, metrics),
    activities: (activities) => measuredActivities(activities, metrics),
    paidActivities: (activities) => measuredPaidActivities(activities, metrics, now),
    close: () => server.close(),
  };
}
