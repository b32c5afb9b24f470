/** Jobs: start, look, list. Every handler names its service and its status, and decides nothing else. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { startFinals } from '../jobs/finals.js';
import { BadCursor } from '../jobs/jobs-port.js';
import { listJobs } from '../jobs/list.js';
import { HttpProblem, invalid } from '../problems.js';
import { nameJob } from '../observability/request-names.js';
import { planBody } from './plan-body.js';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';
import { noSuchJob } from '../jobs/steer.js';
import { acceptedPlan, submit, type Submitted } from '../jobs/submit.js';

export function jobRoutes(app: App, services: Services): void {
  const { heavy, jsonOf } = services;
  const answer = (reply: FastifyReply, { created, job }: Submitted): FastifyReply => {
    if (created) services.metrics.count('jobs_started_total');
    reply.header('location', `/v1/jobs/${encodeURIComponent(job.job_id)}`);
    return reply.code(created ? 202 : 200).send(job);
  };
  app.post(
    '/v1/jobs',
    {
      ...planBody,
      schema: {
        tags: ['jobs'],
        summary: 'Start a job',
        description:
          'With the header `Idempotency-Key`, or a repeated `job_id`, and the same plan: the same job, 200.',
        body: schemas.Plan,
        response: { 202: schemas.Job, 200: schemas.Snapshot, ...schemas.PROBLEMS },
      },
    },
    async (request, reply) => {
      const key = idempotencyKey(request);
      const submitted = await heavy.run('plans', reply, async ({ turn, throwIfAbandoned }) => {
        const body = await jsonOf(request.body);
        await turn();
        throwIfAbandoned();
        return submit(services, body, key);
      });
      nameJob(request, submitted.job.job_id);
      return answer(reply, submitted);
    },
  );

  app.post(
    '/v1/jobs/:job_id/final',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Make the finals of a draft, as a job of its own',
        description:
          'Same prompts, same seeds, on the model that made the draft. With the header `Idempotency-Key`, or a repeated `job_id`, and the same clips: the same job, 200.',
        params: schemas.JobPath,
        body: schemas.Final.nullish(),
        response: { 202: schemas.Job, 200: schemas.Snapshot, ...schemas.PROBLEMS },
      },
    },
    async (request, reply) => {
      const { clips, job_id, max_cost_usd } = request.body ?? {};
      const wishes = {
        clips: clips ?? undefined,
        job_id: job_id ?? undefined,
        max_cost_usd: max_cost_usd ?? undefined,
      };
      const key = idempotencyKey(request);
      const submitted = await heavy.run('plans', reply, () =>
        startFinals(services, request.params.job_id, wishes, key),
      );
      return answer(reply, submitted);
    },
  );

  app.post(
    '/v1/jobs/estimate',
    {
      ...planBody,
      schema: {
        tags: ['jobs'],
        summary: 'What a plan would ask for and cost; starts nothing',
        body: schemas.Plan,
        response: { 200: schemas.Estimate, ...schemas.PROBLEMS },
      },
    },
    async (request, reply) =>
      heavy.run('plans', reply, async (turns) => {
        const body = await jsonOf(request.body);
        await turns.turn();
        turns.throwIfAbandoned();
        const { plan, resolved } = await acceptedPlan(services, body, idempotencyKey(request));
        const estimate = await services.estimate(plan, resolved, turns);
        return { ...estimate, clips: estimate.clips.map((clip) => ({ ...clip })) };
      }),
  );

  app.get(
    '/v1/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'List jobs; may lag by seconds',
        description:
          'First those that run, the latest started first; then those that ended, the latest ended first.',
        querystring: schemas.ListQuery,
        response: { 200: schemas.JobList, ...schemas.PROBLEMS },
      },
    },
    async ({ query: { limit = 20, cursor = null, ...filters } }, reply) => {
      const { status = null, model = null, label = null, q = null } = filters;
      const query = { filter: { status, model, label, q }, limit, cursor };
      try {
        return await heavy.run('lists', reply, () => listJobs(services, query));
      } catch (error) {
        if (!(error instanceof BadCursor)) throw error;
        throw invalid([{ path: 'cursor', message: error.message }]);
      }
    },
  );

  app.get(
    '/v1/jobs/:job_id',
    {
      schema: {
        tags: ['jobs'],
        summary: 'One job as it is now',
        params: schemas.JobPath,
        response: { 200: schemas.Snapshot, ...schemas.PROBLEMS },
      },
    },
    async ({ params: { job_id } }, reply) => {
      const job = await heavy.run('jobs', reply, () => services.snapshot(job_id));
      if (job === null) throw noSuchJob(job_id);
      return job;
    },
  );
}

function idempotencyKey({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)) {
    return key;
  }
  throw new HttpProblem(400, 'Idempotency-Key: expected 1 to 255 printable ASCII characters');
}
