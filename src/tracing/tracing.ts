/** Tracing of one part of a process, put together. Loaded only by start-tracing.ts. */
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { PredictionReader } from '../adapters/replicate/prediction-reader.js';
import { startExport } from './span-export.js';
import type { ExportSettings } from './span-export.js';
import type { Tracing } from './tracing-port.js';
import { tracedFetch } from './traced-fetch.js';
import { traceRequests } from './traced-requests.js';
import { tracedStore } from './traced-store.js';
import { tracedActivities, tracedClient } from './traced-temporal.js';

interface Settings extends ExportSettings {
  /** Of the provider's API. */
  provider_url: string;
}

export function createTracing({ provider_url, ...settings }: Settings): Tracing {
  const { tracer, close } = startExport(settings);
  return {
    requests: (app) => {
      traceRequests(app, tracer);
    },
    client: tracedClient(tracer),
    activities: tracedActivities(tracer),
    fetch: (base) => tracedFetch(base, tracer, new URL(provider_url).origin),
    store: (store) => tracedStore(store, tracer),
    reader: inNoTrace,
    close,
  };
}

/** Its readings are for all clips that render: they belong to no job, whichever clip made it begin. */
const inNoTrace = (reader: PredictionReader): PredictionReader => ({
  open: (followed) =>
    context.with(ROOT_CONTEXT, () => {
      const reading = reader.open(followed);
      return {
        next: (signal: AbortSignal) => reading.next(signal),
        hurry: context.bind(ROOT_CONTEXT, () => {
          reading.hurry();
        }),
        [Symbol.dispose]: context.bind(ROOT_CONTEXT, () => {
          reading[Symbol.dispose]();
        }),
      };
    }),
});
