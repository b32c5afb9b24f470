/**
 * Decorators of the worker's ports and activities: each does what it decorates, and then tells the metrics. What they
 * decorate knows nothing of them.
 *
 * MEASURED-1 A figure is never worth a clip: what measuring throws is left out.
 */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Deps } from '../activities/deps.js';
import type { Activities, PaidActivities } from '../activities/index.js';
import type { AttemptOver, CanceledExecution, GenerateClipInput } from '../contract/activities.js';
import type { Prediction } from '../domain/job/job.schema.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** Requests of the provider's client, each of which is one call (REPLICATE-1). */
export const measuredFetch =
  (base: typeof fetch, metrics: WorkerMetrics): typeof fetch =>
  async (url, init) => {
    const address = url instanceof Request ? url.url : String(url);
    const operation = operationOf(init?.method ?? 'GET', address);
    try {
      const response = await base(url, init);
      quietly(() => {
        metrics.request(operation, response.status);
      });
      return response;
    } catch (error) {
      quietly(() => {
        metrics.request(operation, 'none');
      });
      throw error;
    }
  };

function operationOf(method: string, address: string): string {
  const route = address.replace(/[?#].*/s, '');
  if (route.endsWith('/predictions')) return method === 'POST' ? 'create' : 'list';
  if (route.endsWith('/cancel')) return 'cancel';
  if (route.includes('/predictions/')) return 'read';
  return route.includes('/models/') ? 'model' : 'other';
}

export const measuredDeps = (deps: Deps, metrics: WorkerMetrics): Deps => ({
  ...deps,
  replicate: {
    ...deps.replicate,
    async create(request) {
      const outcome = await deps.replicate.create(request);
      quietly(() => {
        metrics.create(request.model, outcome);
      });
      return outcome;
    },
    async get(id, signal) {
      const outcome = await deps.replicate.get(id, signal);
      quietly(() => {
        if (outcome.type === 'found') metrics.read(outcome.prediction);
      });
      return outcome;
    },
  },
  store: {
    ...deps.store,
    async open(jobId, clipIndex) {
      const file = await deps.store.open(jobId, clipIndex);
      return {
        ...file,
        stream() {
          const stream = file.stream();
          const begun = performance.now();
          stream.once('finish', () => {
            quietly(() => {
              metrics.measure('download_seconds', secondsSince(begun));
            });
          });
          return stream;
        },
        async keep(facts) {
          const begun = performance.now();
          await file.keep(facts);
          quietly(() => {
            metrics.measure('store_seconds', secondsSince(begun));
          });
        },
      };
    },
    async saveJob(job, events) {
      await deps.store.saveJob(job, events);
      quietly(() => {
        metrics.job(job, events);
      });
    },
  },
  workflow: (...of) => {
    const own = deps.workflow(...of);
    return {
      ...own,
      async signal(signal, ...args) {
        await own.signal(signal, ...args);
        quietly(() => {
          // Late duplicates end in signals alone.
          const told = args[0] as { model?: string; prediction?: Prediction | null };
          if (told.prediction) metrics.prediction(told.model ?? '', told.prediction);
        });
      },
    };
  },
});

/** `now`: by the clock of the Temporal server, which scheduled the activity. */
export const measuredPaidActivities = (
  { generateClip }: PaidActivities,
  metrics: WorkerMetrics,
  now: () => number,
): PaidActivities => ({
  async generateClip(input) {
    quietly(() => {
      const { currentAttemptScheduledTimestampMs } = Context.current().info;
      const waited = now() - currentAttemptScheduledTimestampMs;
      metrics.measure('queue_wait_seconds', waited / 1000);
    });
    try {
      const result = await generateClip(input);
      quietly(() => {
        if (result.outcome === 'succeeded') ended(metrics, input, 'succeeded', result.prediction);
      });
      return result;
    } catch (error) {
      quietly(() => {
        attemptFailed(metrics, input, error);
      });
      throw error;
    }
  },
});

/** Failures that end no attempt have no details: the next execution continues it. */
function attemptFailed(metrics: WorkerMetrics, input: GenerateClipInput, error: unknown): void {
  if (error instanceof CancelledFailure) {
    const [end] = error.details as [CanceledExecution?];
    if (end !== undefined) ended(metrics, input, 'canceled', end.prediction);
  } else if (error instanceof ApplicationFailure) {
    const [over] = (error.details ?? []) as [AttemptOver?];
    if (over !== undefined) ended(metrics, input, over.error.kind, over.prediction);
  }
}

function ended(
  metrics: WorkerMetrics,
  { model }: GenerateClipInput,
  outcome: string,
  prediction: Prediction | null,
): void {
  metrics.attempt(model, outcome);
  if (prediction !== null) metrics.prediction(model, prediction);
}

/** Predictions that no clip waits for: their model is known from the reading of the provider within the activity. */
export const measuredActivities = (activities: Activities, metrics: WorkerMetrics): Activities => ({
  ...activities,
  async settlePrediction(input) {
    const settled = await activities.settlePrediction(input);
    quietly(() => {
      metrics.settled(settled.prediction);
    });
    return settled;
  },
  async endLost(input) {
    const settled = await activities.endLost(input);
    quietly(() => {
      metrics.settled(settled.prediction, input.model);
    });
    return settled;
  },
});

/** MEASURED-1 */
function quietly(measure: () => void): void {
  try {
    measure();
  } catch {
    // What cannot be measured is left out.
  }
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000;
