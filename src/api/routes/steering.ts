/** Acts on a running or finished job. Each answers 202 with the job. */
import type { FastifyReply } from 'fastify';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';
import { cancelJob, retryJob, signalClip, signalJob } from '../jobs/steer.js';

/** Under any load: what runs and costs can always be stopped. */
const config = { always: true } as const;
const answers = { 202: schemas.Snapshot, ...schemas.PROBLEMS };

export function steeringRoutes(app: App, services: Services): void {
  const acts = [
    ['cancel', 'Cancel a job and its predictions', cancelJob],
    ['pause', 'Let running clips finish and start no more', signalled('pause')],
    ['resume', 'Continue after a pause', signalled('resume')],
    ['retry', 'Failed and canceled clips once more; good ones are kept', retryInTurn],
  ] as const;
  for (const [name, summary, act] of acts) {
    app.post(
      `/v1/jobs/:job_id/${name}`,
      {
        config,
        schema: { tags: ['steering'], summary, params: schemas.JobPath, response: answers },
      },
      async (request, reply) =>
        reply.code(202).send(await act(services, request.params.job_id, reply)),
    );
  }

  app.post(
    '/v1/jobs/:job_id/max-cost',
    {
      config,
      schema: {
        tags: ['steering'],
        summary: 'Raise or set what the job may spend',
        params: schemas.JobPath,
        body: schemas.MaxCost,
        response: answers,
      },
    },
    async (request, reply) => {
      const signal = { name: 'setMaxCost', ...request.body } as const;
      return reply.code(202).send(await signalJob(services, request.params.job_id, signal));
    },
  );

  const clipActs = [
    ['cancel', 'Cancel one clip', 'cancelClip'],
    ['retry', 'Try a failed or canceled clip once more while the job runs', 'retryClip'],
  ] as const;
  for (const [name, summary, signal] of clipActs) {
    app.post(
      `/v1/jobs/:job_id/clips/:clip_index/${name}`,
      {
        config,
        schema: { tags: ['steering'], summary, params: schemas.ClipPath, response: answers },
      },
      async ({ params: { job_id, clip_index } }, reply) =>
        reply.code(202).send(await signalClip(services, job_id, clip_index, signal)),
    );
  }
}

const signalled =
  (name: 'pause' | 'resume') =>
  (services: Services, jobId: string): ReturnType<typeof signalJob> =>
    signalJob(services, jobId, { name });

/** The plan of a retried job is read and checked again. */
const retryInTurn = (
  services: Services,
  jobId: string,
  reply: FastifyReply,
): ReturnType<typeof retryJob> =>
  services.heavy.run('plans', reply, () => retryJob(services, jobId));
