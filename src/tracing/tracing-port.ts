/** What the parts of API and worker are wrapped with, so that their work makes spans. */
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { FastifyInstance } from 'fastify';
import type { PredictionReader } from '../adapters/replicate/prediction-reader.js';
import type { Store } from '../adapters/storage/store.js';

export interface Tracing {
  /** Called before any other hook is added. */
  requests(app: FastifyInstance): void;
  readonly client: WorkflowClientInterceptor;
  readonly activities: ActivityInterceptorsFactory;
  fetch(base: typeof fetch): typeof fetch;
  store(store: Store): Store;
  reader(reader: PredictionReader): PredictionReader;
  /** Sends what is left, within seconds. */
  close(): Promise<void>;
}
