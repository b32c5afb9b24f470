/**
 * The API process: assembles the app from the configuration, listens, and closes within seconds.
 *
 * SERVER-1 it starts without Temporal and without a worker, and says on /readyz what is missing.
 */
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { createReplicate } from '../adapters/replicate/replicate-client.js';
import { connectWhenNeeded } from '../adapters/temporal/connection.js';
import { storedPayloads } from '../adapters/storage/payload-files.js';
import { withCodec } from '../adapters/temporal/data-converter.js';
import { createRemoteCodec } from '../adapters/temporal/remote-codec.js';
import { sendPollHint } from '../adapters/replicate/poll-hints.js';
import { storePollHint } from '../adapters/replicate/stored-poll-hints.js';
import { openStore } from '../adapters/storage/open-store.js';
import { scratchFolder } from '../adapters/storage/scratch-files.js';
import type { Config } from '../config.js';
import { portRefusal } from '../http/ports.js';
import { checkPlan } from '../domain/plan/check-plan.schema.js';
import { buildApp } from './app.js';
import type { ApiDeps, ApiSettings, App } from './app.js';
import { createArchive } from './jobs/job-archive.js';
import { comparing, estimating } from './jobs/estimating.js';
import { createReadRecordedJob } from './jobs/recorded-job.js';
import { createJobs } from './jobs/temporal-jobs.js';
import { answeringForUnbegunRuns } from './jobs/unbegun-runs.js';
import { createLogger, reportsTo } from '../logging/logger.js';
import { packageFile } from '../settings/package-files.js';
import { startTracing } from '../tracing/start-tracing.js';
import type { Tracing } from '../tracing/start-tracing.js';

export interface RunningApi {
  /** Where it listens, without a slash at the end. */
  url: string;
  app: App;
  close: () => Promise<void>;
}

export interface ApiOverrides {
  deps?: Partial<Omit<ApiDeps, 'settings'>>;
  settings?: Partial<ApiSettings>;
  /** 0 picks a free one. */
  port?: number;
}

/** For connections in use. */
const GRACE_MS = 3_000;

export async function startApi(config: Config, overrides: ApiOverrides = {}): Promise<RunningApi> {
  const connection = connect(config);
  const log = reportsTo(createLogger({ name: 'api', level: config.log_level }));
  const tracing = await startTracing(config, 'api', log);
  try {
    const app = await buildApp(await assemble(config, { connection, tracing }, overrides));
    app.addHook('onClose', async () => {
      await Promise.all([connection.close(), tracing?.close()]);
    });
    const url = await listen(app, config.api.host, overrides.port ?? config.api.port);
    return { url, app, close: () => close(app) };
  } catch (error) {
    await Promise.all([connection.close(), tracing?.close()]);
    throw error;
  }
}

/** SERVER-1 */
const connect = ({ temporal }: Config): Connection =>
  connectWhenNeeded({
    ...temporal.connection,
    channelArgs: {
      // A server that comes back must not be met with a minute of silence.
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2_000,
      // A page of the history of a large job has 7 MB. The SDK sets 128 MiB too, but without "grpc." in the name,
      // so that gRPC's default of 4 MiB would stay.
      'grpc.max_receive_message_length': 128 * 1024 * 1024,
      ...temporal.connection.channelArgs,
    },
  });

async function assemble(
  config: Config,
  { connection, tracing }: { connection: Connection; tracing: Tracing | null },
  overrides: ApiOverrides,
): Promise<ApiDeps> {
  const { temporal, replicate } = config;
  const provider = createReplicate({ ...replicate, proxies: config.proxies });
  const { catalogue, default_model, duration_buffer } = config;
  const plan = { catalogue, default_model, duration_buffer };
  const opened = await openStore(config);
  const store = tracing?.store(opened) ?? opened;
  const jobs = createJobs({
    connection,
    namespace: temporal.namespace,
    task_queue: temporal.task_queue,
    store,
    codec_keys: config.codec_keys,
    interceptors: tracing === null ? [] : [tracing.client],
  });
  const checks = { checkPlan: (value: unknown) => checkPlan(value, plan), jobs };
  const recorded = createReadRecordedJob({ ...checks, simulated: replicate.simulated });
  return {
    jobs: answeringForUnbegunRuns(jobs, recorded),
    archive: createArchive(store, scratchFolder(config.data_dir)),
    store,
    checkPlan: checks.checkPlan,
    estimate: estimating(plan),
    compare: comparing(plan),
    models: [...catalogue.values()],
    webhookSecret: () => provider.webhookSecret(),
    providerClock: provider.clock,
    codec:
      config.codec_keys.length === 0
        ? null
        : createRemoteCodec(withCodec(storedPayloads(store), config.codec_keys)),
    hintPoll: (predictionId) =>
      store.kind === 'bucket'
        ? storePollHint(store, predictionId)
        : sendPollHint(config.data_dir, predictionId),
    tracing,
    ...overrides.deps,
    settings: {
      version: await version(),
      simulated: replicate.simulated,
      namespace: temporal.namespace,
      api_keys: config.api.keys,
      allowed_hosts: config.api.allowed_hosts,
      limits: { requests_per_minute: config.api.requests_per_minute },
      webhook_url: config.webhook_url,
      codec_origins: [
        ...config.api.codec_origins,
        ...(temporal.embedded
          ? ['127.0.0.1', 'localhost'].map((name) => `http://${name}:${String(temporal.ui_port)}`)
          : []),
      ],
      storage_redirects: config.storage.redirects,
      ui_url: temporal.embedded ? `http://127.0.0.1:${String(temporal.ui_port)}` : null,
      // The command says that it listens; Fastify's entry at info would repeat it.
      log_level: config.log_level === 'info' ? 'warn' : config.log_level,
      ...overrides.settings,
    },
  };
}

async function version(): Promise<string> {
  const text = await readFile(packageFile('package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function listen(app: App, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw portRefusal(error, { variable: 'PORT', host, port }) ?? error;
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  return `http://${name}:${String(bound)}`;
}

/** Downloads and streams that are not read are cut after the grace time. */
async function close(app: App): Promise<void> {
  const waiting = new AbortController();
  const force = sleep(GRACE_MS, undefined, { signal: waiting.signal }).then(
    () => {
      app.server.closeAllConnections();
    },
    () => undefined,
  );
  await app.close();
  waiting.abort();
  await force;
}
