/** About the service itself: catalogue, liveness, readiness, metrics. */
import { lifeCycleOf } from '../../domain/models/life-cycle.js';
import type { Figures } from '../observability/job-metrics.js';
import { planBody } from './plan-body.js';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';

export function serviceRoutes(app: App, services: Services): void {
  const { jobs, models, metrics, settings, heavy, jsonOf } = services;

  app.get(
    '/v1/models',
    {
      schema: {
        tags: ['models'],
        summary: 'The catalogue',
        response: { 200: schemas.ModelList, ...schemas.PROBLEMS },
      },
    },
    () => ({ models: models.map((row) => ({ ...row, life_cycle: lifeCycleOf(row) })) }),
  );

  app.post(
    '/v1/models/compare',
    {
      ...planBody,
      schema: {
        tags: ['models'],
        summary: 'What a plan costs and takes on every model that can make it; starts nothing',
        description:
          'Independent of the model that the plan names. The cheapest first; those that cannot make it last, each with its first reason.',
        body: schemas.Plan,
        response: { 200: schemas.ModelComparison, ...schemas.PROBLEMS },
      },
    },
    async (request, reply) =>
      heavy.run('plans', reply, async (turns) => {
        const body = await jsonOf(request.body);
        await turns.turn();
        turns.throwIfAbandoned();
        return { models: await services.compare(body, turns) };
      }),
  );

  app.get(
    '/healthz',
    {
      schema: {
        tags: ['service'],
        summary: 'Is this process alive?',
        response: { 200: schemas.Health, ...schemas.PROBLEMS },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['service'],
        summary: 'Is Temporal reachable, and did a worker poll within the last minute?',
        response: { 200: schemas.Readiness, 503: schemas.Readiness, ...schemas.PROBLEMS },
      },
    },
    async (_request, reply) => {
      const { temporal, workers } = await look();
      const ready = temporal && workers > 0;
      reply.header('cache-control', 'no-store').code(ready ? 200 : 503);
      return reply.send({
        ready,
        api: 'durable-clip-generator',
        version: settings.version,
        temporal,
        workers,
        simulated: settings.simulated,
        namespace: settings.namespace,
        ui_url: settings.ui_url,
      });
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['service'],
        summary: 'Figures for Prometheus',
        response: { 200: schemas.text('The figures.'), ...schemas.PROBLEMS },
      },
    },
    async (_request, reply) => {
      const [{ temporal, workers }, running, figures] = await heavy.run('lists', reply, () =>
        Promise.all([look(), jobs.running().catch(() => null), jobFigures(services)]),
      );
      const now = {
        temporal_up: temporal ? 1 : 0,
        workers,
        ...(running === null ? {} : { running_jobs: running }),
      };
      return reply.type(metrics.contentType).send(await metrics.exposition(now, figures));
    },
  );

  const look = (): Promise<{ temporal: boolean; workers: number }> =>
    jobs.workers().then(
      ({ workers }) => ({ temporal: true, workers }),
      () => ({ temporal: false, workers: 0 }),
    );
}

/** A stored job that runs again counts with its state of now. */
async function jobFigures({ ended, hub }: Services): Promise<Figures> {
  const live = hub.liveJobs();
  const figures = await ended.figures(live.map(({ job_id }) => job_id));
  for (const job of live) figures.addLive(job);
  return figures;
}
