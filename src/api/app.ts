/**
 * The HTTP API as a value: routes and plugins around the given ports, without a port of its own.
 *
 *   routes/    a schema and a handler for each route, nothing else
 *   plugins/   for every request: keys, tokens, hosts, rate, bodies, headers, the page, the API's description
 *   jobs/      submit · steer · list · estimating: what the routes do; jobs-port ← temporal-jobs: Temporal, behind one interface;
 *              snapshots · recorded-job · synthesized-end · pending-clips · last-known: where a job's state comes from;
 *              job-archive · stored-jobs · unstored-jobs: finished jobs
 *   stream/    progress-hub → job-watcher → event-log → job-stream → sse-writer: from Temporal to a reader
 *   load/      limits → gate → heavy-work → event-loop-turns: what takes long, a few at a time
 *   observability/   what Prometheus reads
 */
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { createLogger } from '../logging/logger.js';
import { nameRequests } from './observability/request-names.js';
import { LIMITS, SMALL_BODY } from './load/limits.js';
import { readBodies } from './plugins/bodies.js';
import { answerEarly, earlyAnswers } from './plugins/early.js';
import { secureAnswers } from './plugins/headers.js';
import { guard } from './plugins/keys.js';
import { answerOrigins } from './plugins/origins.js';
import { describeApi } from './plugins/openapi.js';
import { servePage } from './plugins/page.js';
import { limitRate } from './plugins/rate.js';
import { createWrongKeys } from './plugins/wrong-keys.js';
import { answerProblems } from './problems.js';
import { clipRoutes } from './routes/clips.js';
import { codecRoutes } from './routes/codec.js';
import { eventRoutes } from './routes/events.js';
import { jobRoutes } from './routes/jobs.js';
import { serviceRoutes } from './routes/service.js';
import { steeringRoutes } from './routes/steering.js';
import { webhookRoutes } from './routes/webhooks.js';
import { createServices } from './services.js';
import type { ApiDeps, App, Services } from './services.js';

export type { ApiDeps, ApiSettings, App } from './services.js';

export async function buildApp(deps: ApiDeps): Promise<App> {
  const { settings } = deps;
  const access = { keys: settings.api_keys, hosts: settings.allowed_hosts ?? [] };
  const limits = { ...LIMITS, ...settings.limits };
  const logger: FastifyBaseLogger = createLogger({
    name: 'api',
    level: settings.log_level ?? 'info',
  });
  const app = Fastify({
    ...earlyAnswers(access, limits),
    bodyLimit: SMALL_BODY,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    // Any job_id of 1,000 characters, however it is encoded; the parser ends at 16 KiB of headers anyway.
    routerOptions: { maxParamLength: 12_000 },
    loggerInstance: logger,
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = limits.connections;
  const refuseUnknownPaths = answerProblems(app);
  const jsonOf = readBodies(app, limits.held);
  const services = createServices(deps, { log: app.log, limits, jsonOf });

  app.setValidatorCompiler(validatorCompiler);
  // Schemas describe answers, they do not change them: a job goes out as the workflow made it.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  nameRequests(app, deps.tracing);
  secureAnswers(app);
  answerEarly(app);
  answerOrigins(app);
  guard(app, access, {
    tokens: services.tokens,
    wrongKeys: createWrongKeys(settings.now, settings.wrong_key_pause),
  });
  refuseUnknownPaths();
  await limitRate(app, limits.requests_per_minute);
  countRequests(app, services);
  endStreams(app, services);
  app.addHook('onListen', async () => {
    services.ended.prepare();
  });
  await describeApi(app, { version: settings.version, hasKeys: access.keys.length > 0 });
  await servePage(app, { folder: settings.page_dir, filesOrigin: () => filesOrigin(services) });

  jobRoutes(app, services);
  steeringRoutes(app, services);
  eventRoutes(app, services);
  clipRoutes(app, services);
  serviceRoutes(app, services);
  codecRoutes(app, services);
  await webhookRoutes(app, services);
  return app;
}

/** Without it the page asks the API itself for files: an address that cannot be made now is no reason to show no page. */
async function filesOrigin({ store, settings }: Services): Promise<string | null> {
  if (settings.storage_redirects !== true) return null;
  const address = await store.url('page', { expires_in: 1 }).catch(() => null);
  return address === null ? null : new URL(address).origin;
}

function countRequests(app: App, { metrics }: Services): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: reply.statusCode };
    metrics.countRequest(labels, reply.elapsedTime / 1000);
    request.log.debug(labels, 'answered');
  });
  app.addHook('onError', async (request, _reply, error) => {
    request.log.debug({ err: error }, 'refused');
  });
}

/** Before the server waits for its connections to close: streams of running jobs do not end by themselves. */
function endStreams(app: App, { hub, streams }: Services): void {
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end();
    hub.close();
  });
}
