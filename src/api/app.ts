/**
 * The HTTP API as a value: routes and plugins around the given ports, without a port of its own.
 *
 *   routes/    jobs · steering · events · clips · service · webhooks: schema, handler, nothing else
 *   submit · steer · list · webhook-check     what the routes do
 *   snapshots · recorded-job · closing · pending · last-known   where a job's state comes from
 *   progress-hub → job-watcher → progress-log → job-stream → sse   from Temporal to a reader
 *   archive · stored-jobs   finished jobs on disk; metrics · job-figures · exposition   what Prometheus reads
 *   jobs-port ← jobs, temporal-rows, temporal-errors, cursor   Temporal, behind one interface
 */
import Fastify, { LogController } from 'fastify';
import type { FastifyInstance, FastifyBaseLogger, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { answerEarly, earlyAnswers } from './plugins/early.js';
import { secureAnswers } from './plugins/headers.js';
import { guard } from './plugins/keys.js';
import { describeApi } from './plugins/openapi.js';
import { servePage } from './plugins/page.js';
import { answerProblems, HttpProblem } from './problems.js';
import { clipRoutes } from './routes/clips.js';
import { eventRoutes } from './routes/events.js';
import { jobRoutes } from './routes/jobs.js';
import { serviceRoutes } from './routes/service.js';
import { steeringRoutes } from './routes/steering.js';
import { webhookRoutes } from './routes/webhooks.js';
import { createServices } from './services.js';
import type { ApiDeps, Services } from './services.js';

export type { ApiDeps, ApiSettings } from './services.js';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

const MOST_BODY = 1024 * 1024;

export async function buildApp(deps: ApiDeps): Promise<App> {
  const { settings } = deps;
  const door = { keys: settings.api_keys, hosts: settings.allowed_hosts ?? [] };
  const app = Fastify({
    ...earlyAnswers(door),
    bodyLimit: MOST_BODY,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    // Any job_id of 1,000 characters, however it is encoded; the parser ends at 16 KiB of headers anyway.
    routerOptions: { maxParamLength: 12_000 },
    logger: {
      level: settings.log_level ?? 'info',
      stream: process.stderr,
      // Without the query: a key may stand in it.
      serializers: { req: ({ method, url }) => ({ method, url: url.split('?')[0] ?? '' }) },
    },
  }).withTypeProvider<ZodTypeProvider>();
  const services = createServices(deps, app.log);

  const refuseUnknownPlaces = answerProblems(app);
  readBodies(app);
  app.setValidatorCompiler(validatorCompiler);
  // Schemas describe answers, they do not change them: a job goes out as the workflow made it.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  secureAnswers(app);
  answerEarly(app);
  guard(app, door);
  refuseUnknownPlaces();
  countRequests(app, services);
  endStreams(app, services);
  await describeApi(app, { version: settings.version, hasKeys: door.keys.length > 0 });
  await servePage(app, settings.page_dir);

  jobRoutes(app, services);
  steeringRoutes(app, services);
  eventRoutes(app, services);
  clipRoutes(app, services);
  serviceRoutes(app, services);
  await webhookRoutes(app, services);
  return app;
}

/** JSON and nothing else; an act without a body may still say that it is JSON. */
function readBodies(app: App): void {
  // A field `__proto__` is a field like others here; the check of a plan refuses it in the words of every other door.
  const parse = app.getDefaultJsonParser('ignore', 'ignore');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      if (body.trim() === '') {
        done(null, undefined);
        return;
      }
      void parse(request, body, (error: Error | null, value?: unknown) => {
        if (error === null) done(null, value);
        else
          done(
            new HttpProblem(400, `expected a body that is JSON: ${error.message}`, {
              errors: [{ path: '', message: 'expected JSON' }],
            }),
          );
      });
    },
  );
}

function countRequests(app: App, { metrics }: Services): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: reply.statusCode };
    metrics.countRequest(labels, reply.elapsedTime / 1000);
  });
  app.addHook('onError', async (request, _reply, error) => {
    request.log.debug({ err: error }, 'refused');
  });
}

/** Before the server waits for its connections: streams never end by themselves. */
function endStreams(app: App, { hub, streams }: Services): void {
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end();
    hub.close();
  });
}
