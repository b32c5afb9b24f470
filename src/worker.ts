/**
 * The worker process: connects, builds the activities' dependencies, polls its task queues until it is closed.
 * The main queue runs workflows and quick activities. The paid queue runs `generateClip` alone, so that its rate, which Temporal
 * limits over all workers together, is the limit of creates. Activities that wait for hosts outside have queues of their own.
 *
 * WORKER-1 Closing hands running clips over at once and cancels nothing.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Deps } from './activities/deps.js';
import { createActivities, createPaidActivities } from './activities/index.js';
import type { PaidActivities } from './activities/index.js';
import { serverClock } from './activities/server-clock.js';
import { createArtifactStore } from './adapters/storage/artifact-store.js';
import { createClaims } from './adapters/storage/claims.js';
import { createCreates } from './adapters/storage/create-log.js';
import { createHazards } from './adapters/media/hazards.js';
import { createJobIndex, indexing } from './adapters/storage/job-index.js';
import { endMediaChildren, media } from './adapters/media/media.js';
import { outboundFetch } from './adapters/network/outbound.js';
import { storedPayloads } from './adapters/storage/payload-files.js';
import { createPredictionIndex } from './adapters/replicate/prediction-index.js';
import { createPredictionReader } from './adapters/replicate/prediction-reader.js';
import type { ReaderOptions } from './adapters/replicate/prediction-reader.js';
import { createReferences } from './adapters/references/reference-images.js';
import { createReplicateFiles } from './adapters/replicate/files-api.js';
import { createReplicate } from './adapters/replicate/replicate-client.js';
import { openStore } from './adapters/storage/open-store.js';
import { scratchFolder, sweepScratchFiles } from './adapters/storage/scratch-files.js';
import type { Store } from './adapters/storage/store.js';
import { identityOf } from './adapters/storage/store-identity.js';
import { nameExecutions } from './adapters/temporal/execution-names.js';
import { findOwnWorkflow } from './adapters/temporal/workflow-calls.js';
import { watchPollHints } from './adapters/replicate/poll-hints.js';
import { watchStoredHints } from './adapters/replicate/stored-poll-hints.js';
import { errorMessage } from './domain/values/error-message.js';
import { requireWritable } from './config.js';
import type { Config } from './config.js';
import { endLeftExecutions } from './adapters/temporal/dead-workers.js';
import { withCodec, workflowBundle } from './adapters/temporal/data-converter.js';
import { watchVersions } from './adapters/temporal/gone-versions.js';
import type { Pace } from './adapters/temporal/gone-versions.js';
import {
  executionsOf,
  sharedOptions,
  workflowTasksOf,
} from './adapters/temporal/worker-options.js';
import type { Observability } from './observability/worker-observability.js';
import { keepYoungGenerationSmall } from './settings/small-heap.js';
import { createLogger, reportsTo } from './logging/logger.js';
import { workerLogger } from './logging/worker-log.js';
import { SIDE_QUEUES, sideQueue } from './contract/workflow.js';
import { PAID_TIMINGS } from './contract/timings.js';
import { packageFile } from './settings/package-files.js';
import { startTracing } from './tracing/start-tracing.js';
import type { Tracing } from './tracing/start-tracing.js';

export interface RunningWorker {
  /** Settles when the worker has ended. */
  run: Promise<void>;
  close(): Promise<void>;
}

export interface WorkerOverrides {
  /** Dependencies of the activities, for tests. */
  deps?: Partial<Deps>;
  /** When predictions are read; the product's own when absent. */
  reader?: ReaderOptions;
  /** How soon jobs of a version without workers are taken over; the product's own when absent. */
  version_pace?: Pace;
  log?: (line: string) => void;
  /** Ends the wait for a Temporal that does not answer yet. */
  signal?: AbortSignal;
}

/** Milliseconds between two sweeps of DATA_DIR. */
const SWEEP_INTERVAL = 6 * 3_600_000;

/** The one file that the workflow sandbox loads. */
export const bundlePath = packageFile('dist/workflow-bundle.js');

/** With WORKER_HTTP_PORT, it can be observed from before Temporal answers until it has stopped. */
export async function startWorker(
  config: Config,
  overrides: WorkerOverrides = {},
): Promise<RunningWorker> {
  const status: Status = { workers: [], connection: null, stopping: false };
  const observed = await observe(config, status);
  const log = overrides.log ?? reportsTo(createLogger({ level: config.log_level }));
  const tracing = await startTracing(config, 'worker', log);
  const closeAll = async (): Promise<void> => {
    await Promise.all([observed?.close(), tracing?.close()]);
  };
  try {
    const worker = await startPolling(config, { ...overrides, log }, { status, observed, tracing });
    return {
      run: worker.run.finally(closeAll),
      async close() {
        status.stopping = true;
        await worker.close().finally(closeAll);
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What tells of the worker's work, each null where its setting is not given. */
interface Watching {
  observed: Observability | null;
  tracing: Tracing | null;
}

/** What `/readyz` looks at. */
interface Status {
  workers: readonly Worker[];
  connection: NativeConnection | null;
  stopping: boolean;
}

/** Milliseconds that Temporal may take to answer a probe. */
const PROBE_DEADLINE = 2_000;

/** Null where nothing listens. Loaded only where it is wanted (settings/small-heap.ts). */
async function observe(config: Config, status: Status): Promise<Observability | null> {
  const port = config.worker_http_port;
  if (port === null) return null;
  const { observeWorker } = await import('./observability/worker-observability.js');
  return observeWorker(config, port, {
    status: async () => ({
      temporal: status.connection !== null && (await answers(status.connection)),
      polling:
        status.workers.length > 0 &&
        status.workers.every((worker) => worker.getState() === 'RUNNING'),
      stopping: status.stopping,
    }),
    now: () => serverClock.now(),
  });
}

const answers = (connection: NativeConnection): Promise<boolean> =>
  connection
    .withDeadline(Date.now() + PROBE_DEADLINE, () => connection.workflowService.getSystemInfo({}))
    .then(
      () => true,
      () => false,
    );

async function startPolling(
  config: Config,
  overrides: WorkerOverrides & Required<Pick<WorkerOverrides, 'log'>>,
  { status, ...watching }: Watching & { status: Status },
): Promise<RunningWorker> {
  const { observed } = watching;
  if (!existsSync(bundlePath)) {
    throw new Error(
      `expected the workflow bundle at ${path.relative('.', bundlePath)}; run: npm run build`,
    );
  }
  requireWritable(config.data_dir);
  const opened = await openStore(config);
  const store = watching.tracing?.store(opened) ?? opened;
  const store_id = await identityOf(store);
  const { log } = overrides;
  await installRuntime(config);
  const closing = new AbortController();
  const wait = { address: config.temporal.address, log };
  const connection = await whenTemporalAnswers(
    () => NativeConnection.connect(config.temporal.connection as NativeConnectionOptions),
    { ...wait, signal: overrides.signal },
  );
  status.connection = connection;
  const plain = await assemble(config, connection, {
    store,
    overrides: { store_id, ...overrides.deps },
    reader: overrides.reader,
    ...watching,
  });
  const deps = observed?.deps(plain) ?? plain;
  const create = (signal: AbortSignal | undefined): Promise<Worker[]> =>
    whenTemporalAnswers(() => createWorkers(config, connection, { store, deps, ...watching }), {
      ...wait,
      signal,
      isPassing: isUnavailable,
    });
  let workers = await create(overrides.signal);
  status.workers = workers;
  const client = new Client({
    connection,
    namespace: config.temporal.namespace,
    dataConverter: converterOf(store, config),
  });
  endLeftExecutions(client, config.temporal).then(
    (ended) => {
      if (ended > 0) log(`worker: resumes ${String(ended)} executions of a worker that died`);
    },
    (error: unknown) => {
      if (closing.signal.aborted) return;
      log(
        `worker: executions of dead workers were not looked for (${errorMessage(error)}); their heartbeat time-outs end them`,
      );
    },
  );
  const { version } = config.worker;
  if (version !== null) {
    const { namespace, task_queue } = config.temporal;
    const { signal } = closing;
    const pace = overrides.version_pace;
    void watchVersions({ client, namespace, task_queue, version, log, signal, pace });
  }
  // In the background: files of processes that were killed, and old records.
  const sweep = (): void => {
    const sweeps = [sweepScratchFiles(config.data_dir), deps.creates.sweep()];
    Promise.all(sweeps).catch((error: unknown) => {
      log(`worker: old files could not be removed (${errorMessage(error)})`);
    });
  };
  sweep();
  const sweeping = setInterval(sweep, SWEEP_INTERVAL).unref();

  const run = (async () => {
    for (;;) {
      const runs = workers.map((worker) => worker.run());
      try {
        await Promise.all(runs);
        return;
      } catch (error) {
        // One worker failed for good (say, the server was replaced): the others must not poll without it.
        shutdown(workers); // WORKER-1
        if (closing.signal.aborted) {
          await Promise.allSettled(runs);
          log(
            `worker: closed before every execution was handed over (${errorMessage(error)}); another worker resumes them after the heartbeat time-out`,
          );
          return;
        }
        log(`worker: stopped polling (${errorMessage(error)}); starting again`);
        await sleep(RETRY_INTERVAL);
        workers = await create(closing.signal);
        status.workers = workers;
      }
    }
  })()
    .catch((error: unknown) => {
      if (!closing.signal.aborted) throw error;
    })
    // Refused while a worker that could not hand over uses it; then it ends with the process.
    .finally(() => connection.close().catch(() => undefined));

  return {
    run,
    async close() {
      closing.abort();
      clearInterval(sweeping);
      shutdown(workers);
      await run;
      await endMediaChildren();
    },
  };
}

function shutdown(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

let installed = false;
/** Once in a process. The commands handle signals, not the runtime. */
async function installRuntime(config: Config): Promise<void> {
  if (installed) return;
  installed = true;
  const metrics =
    config.worker_http_port === null
      ? {}
      : {
          metrics: { buffer: (await import('./observability/sdk-metrics.js')).sdkMetrics().buffer },
        };
  Runtime.install({
    shutdownSignals: [],
    logger: workerLogger(config.log_level),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' }, ...metrics },
  });
}

/** Milliseconds between two attempts to reach Temporal. */
const RETRY_INTERVAL = 1_000;

interface Wait {
  address: string;
  log: (line: string) => void;
  signal: AbortSignal | undefined;
  /** Which failures are waited out; by default all. */
  isPassing?: (error: unknown) => boolean;
}

/** Retries until Temporal answers, which it may stop doing between any two steps of a start. */
const whenTemporalAnswers = <T>(
  step: () => Promise<T>,
  { address, log, signal, isPassing = () => true }: Wait,
): Promise<T> =>
  pRetry(step, {
    retries: Infinity,
    minTimeout: RETRY_INTERVAL,
    factor: 1,
    ...(signal && { signal }),
    shouldRetry: ({ error }) => isPassing(error),
    onFailedAttempt({ error, attemptNumber }) {
      if (attemptNumber > 1 || !isPassing(error) || signal?.aborted === true) return;
      log(`worker: waiting for Temporal at ${address} (${error.message})`);
    },
  });

/** The texts of gRPC, which are in the message of every error that the SDK makes of them. */
const isUnavailable = (error: unknown): boolean =>
  /Unavailable|transport error|DeadlineExceeded|Deadline exceeded|Cancelled/.test(String(error));

const converterOf = (store: Store, { codec_keys }: Config) =>
  withCodec(storedPayloads(store), codec_keys);

async function assemble(
  config: Config,
  connection: NativeConnection,
  {
    store,
    overrides,
    reader,
    observed,
    tracing,
  }: Watching & {
    store: Store;
    overrides: Partial<Deps> & Pick<Deps, 'store_id'>;
    reader: ReaderOptions | undefined;
  },
): Promise<Deps> {
  const client = new Client({
    connection,
    namespace: config.temporal.namespace,
    dataConverter: converterOf(store, config),
    interceptors: { workflow: tracing === null ? [] : [tracing.client] },
  });
  const scratch = scratchFolder(config.data_dir);
  const direct = outboundFetch(config.proxies);
  const outbound = tracing?.fetch(direct) ?? direct;
  const provider = { ...config.replicate, fetch: outbound };
  const replicate = createReplicate({
    ...provider,
    ...(observed && { fetch: observed.fetch(outbound) }),
  });
  const index = createPredictionIndex(replicate);
  const predictions = createPredictionReader(replicate, index, reader);
  return {
    replicate,
    index,
    reader: tracing?.reader(predictions) ?? predictions,
    poll_hints: store.kind === 'bucket' ? watchStoredHints(store) : watchPollHints(config.data_dir),
    claims: createClaims(store),
    creates: createCreates(store),
    store: indexing(createArtifactStore(store, scratch), createJobIndex(store)),
    media,
    hazards: createHazards(scratch),
    references: createReferences({
      store,
      scratch,
      files: createReplicateFiles(provider),
      provider: config.replicate.base_url,
      allow_hosts: [
        ...config.reference_allow_hosts,
        // The simulator has sample images.
        ...(config.replicate.simulated ? loopbackNames(config.replicate.base_url) : []),
      ],
    }),
    workflow: findOwnWorkflow(client),
    plan: {
      catalogue: config.catalogue,
      default_model: config.default_model,
      duration_buffer: config.duration_buffer,
    },
    simulated: config.replicate.simulated,
    webhook_url: config.webhook_url,
    timings: PAID_TIMINGS,
    provider_origin: new URL(config.replicate.base_url).origin,
    token: config.replicate.token,
    fetch: outbound,
    ...overrides,
  };
}

/**
 * A workflow step that runs into this time-out takes Node down with it (temporalio/sdk-typescript#939). The SDK's 5 s are too
 * few for a process that was suspended in the middle of a step, or for a job of 1,000 clips on a busy machine. SDK 1.24 reads the
 * option, but has no type for it.
 */
const LONG_STEPS: object = { isolateExecutionTimeout: '10m' };

async function createWorkers(
  config: Config,
  connection: NativeConnection,
  { store, deps, observed, tracing }: Watching & { store: Store; deps: Deps },
): Promise<Worker[]> {
  const { namespace, task_queue } = config.temporal;
  const common = {
    connection,
    namespace,
    ...sharedOptions(config.worker),
    dataConverter: converterOf(store, config),
    interceptors: {
      activity: [nameExecutions, ...(tracing === null ? [] : [tracing.activities])],
    },
  };
  const { slots, cached_workflows } = config.worker;
  const executions = executionsOf(slots);
  const plain = createActivities(deps);
  const activities = observed?.activities(plain) ?? plain;
  const paidActivities = (side: 'paid' | 'hold'): PaidActivities => {
    const paid = createPaidActivities(deps, side);
    return observed?.paidActivities(paid) ?? paid;
  };
  const main = await Worker.create({
    ...common,
    taskQueue: task_queue,
    workflowBundle: await workflowBundle(bundlePath, config.codec_keys),
    // All activities: jobs that were started before the other queues existed have their tasks here.
    activities,
    maxCachedWorkflows: cached_workflows,
    maxConcurrentWorkflowTaskExecutions: workflowTasksOf(cached_workflows),
    ...LONG_STEPS,
    maxConcurrentActivityTaskExecutions: executions.main,
    // Another worker takes over the workflows of one that was killed after 3 s instead of 10.
    stickyQueueScheduleToStartTimeout: '3s',
  });
  // The thread that runs workflows has started now (small-heap.ts).
  keepYoungGenerationSmall();
  const others = SIDE_QUEUES.map((side) =>
    Worker.create({
      ...common,
      taskQueue: sideQueue(task_queue, side),
      maxConcurrentActivityTaskExecutions: executions[side],
      activities: side === 'paid' || side === 'hold' ? paidActivities(side) : activities,
      ...(side === 'paid'
        ? { maxTaskQueueActivitiesPerSecond: config.creates_per_minute / 60 }
        : {}),
    }),
  );
  return [main, ...(await Promise.all(others))];
}

function loopbackNames(baseUrl: string): string[] {
  const { host, port } = new URL(baseUrl);
  return [host, `localhost:${port}`];
}
