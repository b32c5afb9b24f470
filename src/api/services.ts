/** What routes get: the outside as ports (ApiDeps), and what the API builds on them (Services), assembled once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { createJobIndex } from '../adapters/storage/job-index.js';
import type { ProviderClock } from '../adapters/replicate/provider-clock.js';
import type { SecretOutcome } from '../adapters/replicate/replicate-client.js';
import { createStoredFolders } from '../adapters/storage/stored-folders.js';
import type { Store } from '../adapters/storage/store.js';
import type { RemoteCodec } from '../adapters/temporal/remote-codec.js';
import type { ModelRow } from '../domain/models/row.js';
import type { Checked } from '../domain/plan/resolved.js';
import type { Archive } from './jobs/job-archive.js';
import { createCursorCodec } from './jobs/list-cursor.js';
import type { CursorCodec } from './jobs/list-cursor.js';
import type { Compare, MakeEstimate } from './jobs/estimating.js';
import { createHeavyWork } from './load/heavy-work.js';
import type { HeavyWork } from './load/heavy-work.js';
import { STREAM_LIMITS } from './stream/job-stream.js';
import type { StreamLimits } from './stream/job-stream.js';
import type { Jobs } from './jobs/jobs-port.js';
import { EndedJobs } from './jobs/ended-jobs.js';
import { LastKnown } from './jobs/last-known.js';
import { createMediaTokens } from './plugins/media-tokens.js';
import type { MediaTokens } from './plugins/media-tokens.js';
import type { Limits } from './load/limits.js';
import { createMetrics } from './observability/metrics.js';
import type { Metrics } from './observability/metrics.js';
import type { Tracing } from '../tracing/start-tracing.js';
import type { JsonOf } from './plugins/bodies.js';
import { ProgressHub } from './stream/progress-hub.js';
import { createReadRecordedJob } from './jobs/recorded-job.js';
import type { ReadRecordedJob } from './jobs/recorded-job.js';
import { createRenderWorkerCheck } from './jobs/worker-presence.js';
import { Snapshots } from './jobs/snapshots.js';
import type { EventStream } from './stream/sse-writer.js';
import { createHeaderCheck, createWebhookCheck } from './routes/webhook-check.js';
import type { CheckHeaders, CheckWebhook } from './routes/webhook-check.js';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface ApiSettings {
  version: string;
  simulated: boolean;
  namespace: string;
  api_keys: readonly string[];
  /** Hosts answered without keys, besides this machine: `host` or `host:port`. */
  allowed_hosts?: readonly string[];
  /** The address that the provider sends webhooks to; requests for its host need no key there. */
  webhook_url?: string | null;
  /** Of the Web UI of the embedded Temporal server; null for another server. */
  ui_url: string | null;
  /** Of pages that may call the codec endpoint. */
  codec_origins?: readonly string[];
  /** Folder of the built page; the package's own when absent. */
  page_dir?: string;
  /** Readers of files are sent to the store itself, where it has addresses for them. */
  storage_redirects?: boolean;
  log_level?: string;
  keep_alive_ms?: number;
  watch_grace_ms?: number;
  watch_every_ms?: number;
  stream_limits?: StreamLimits;
  /** Milliseconds, for tokens and wrong keys; `Date.now` when absent. */
  now?: () => number;
  /** Milliseconds by which the refusal of a wrong key is delayed. */
  wrong_key_pause?: number;
  /** Override those of LIMITS. */
  limits?: Partial<Limits>;
}

export interface ApiDeps {
  jobs: Jobs;
  archive: Archive;
  store: Store;
  checkPlan: (plan: unknown) => Checked;
  estimate: MakeEstimate;
  compare: Compare;
  models: readonly ModelRow[];
  /** The secret that the provider signs its webhooks with. */
  webhookSecret: () => Promise<SecretOutcome>;
  /** The clock of the signatures of webhooks; this machine's when absent. */
  providerClock?: ProviderClock;
  /** Null or absent: payloads are not encrypted, and there is no endpoint. */
  codec?: RemoteCodec | null;
  /** Tells the worker that polls a prediction to read it now. */
  hintPoll: (predictionId: string) => Promise<void>;
  /** Null or absent: requests make no spans. */
  tracing?: Pick<Tracing, 'requests'> | null;
  settings: ApiSettings;
}

export interface Services extends ApiDeps {
  hub: ProgressHub;
  recorded: ReadRecordedJob;
  snapshots: Snapshots;
  snapshot: (jobId: string) => ReturnType<Snapshots['get']>;
  /** Open event streams. */
  streams: Set<EventStream>;
  streamLimits: StreamLimits;
  metrics: Metrics;
  checkWebhook: CheckWebhook;
  lastKnown: LastKnown;
  ended: EndedJobs;
  cursors: CursorCodec;
  tokens: MediaTokens;
  simulated: boolean;
  limits: Limits;
  heavy: HeavyWork;
  /** Parses the body of a route that parses it itself. */
  jsonOf: JsonOf;
  isTimelyWebhook: CheckHeaders;
}

interface Given {
  log: FastifyBaseLogger;
  limits: Limits;
  jsonOf: JsonOf;
}

export function createServices(deps: ApiDeps, { log, limits, jsonOf }: Given): Services {
  const { jobs, archive, checkPlan, models, settings } = deps;
  const lastKnown = new LastKnown();
  const recorded = createReadRecordedJob({ jobs, checkPlan, simulated: settings.simulated });
  const hasRenderWorkers = createRenderWorkerCheck(jobs);
  const snapshots = new Snapshots({ jobs, archive, lastKnown, recorded, hasRenderWorkers });
  const usual = new Map(models.map(({ id, usual_time }) => [id, usual_time]));
  const hub = new ProgressHub({
    jobs,
    archive,
    recorded,
    onJob: (job) => {
      lastKnown.set(job);
    },
    onLost: (job_id, err) => {
      log.debug({ job_id, err }, 'no answer for this job; asking again');
    },
    usualTime: (model) => usual.get(model) ?? null,
    hasRenderWorkers,
    ...(settings.watch_grace_ms === undefined ? {} : { grace: settings.watch_grace_ms }),
    ...(settings.watch_every_ms === undefined ? {} : { every: settings.watch_every_ms }),
  });
  const streams = new Set<EventStream>();
  const metrics = createMetrics({
    open_event_streams: () => streams.size,
    watched_jobs: () => hub.watchedJobs,
  });
  return {
    ...deps,
    hub,
    recorded,
    snapshots,
    snapshot: (jobId) => snapshots.get(jobId),
    streams,
    streamLimits: settings.stream_limits ?? STREAM_LIMITS,
    metrics,
    lastKnown,
    ended: new EndedJobs({
      jobs,
      index: createJobIndex(deps.store),
      folders: createStoredFolders(deps.store),
      onError: (err) => {
        log.warn({ err }, 'the list of jobs could not be brought up to date; trying again');
      },
    }),
    cursors: createCursorCodec(deps.store, settings.namespace),
    tokens: createMediaTokens(settings.api_keys, settings.now),
    checkWebhook: createWebhookCheck(deps.webhookSecret, Date.now, deps.providerClock),
    isTimelyWebhook: createHeaderCheck(Date.now, deps.providerClock),
    simulated: settings.simulated,
    limits,
    heavy: createHeavyWork(limits),
    jsonOf,
  };
}
