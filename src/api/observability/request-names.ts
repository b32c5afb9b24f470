/** What names a request in the log: its job, and its trace where there is one. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Tracing } from '../../tracing/start-tracing.js';

/** Called before any other hook is added. */
export function nameRequests(
  app: FastifyInstance,
  tracing: Pick<Tracing, 'requests'> | null | undefined,
): void {
  tracing?.requests(app);
  app.addHook('onRequest', async (request) => {
    const { job_id } = request.params as { job_id?: string };
    if (job_id !== undefined) nameJob(request, job_id);
  });
}

/** Of a request whose path has none. */
export function nameJob(request: FastifyRequest, job_id: string): void {
  request.log = request.log.child({ job_id });
}
