/** The event stream: decides where a reader starts and whether there is anything to stream; JobStream does the rest. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { JobStream } from '../stream/job-stream.js';
import { notFound, unavailable } from '../problems.js';
import type { Lease } from '../stream/progress-hub.js';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';
import { EventStream, frameOf } from '../stream/sse-writer.js';

const KEEP_ALIVE_MS = 15_000;

export function eventRoutes(app: App, services: Services): void {
  const readers = new Set<FastifyReply>();
  app.get(
    '/v1/jobs/:job_id/events',
    {
      config: { keyInQuery: true, untraced: true },
      exposeHeadRoute: false,
      schema: {
        tags: ['jobs'],
        summary: 'The events of a job, as server-sent events',
        description:
          'Without a position: a frame `snapshot`, then events as they come. With `Last-Event-ID`, else `?after=`: exactly the events after it. 204 when there will be none. With `follow=false` the answer ends with what there is now.',
        params: schemas.JobPath,
        querystring: schemas.EventsQuery,
        headers: schemas.EventsHeaders,
        response: schemas.Events,
      },
    },
    async (request, reply) => {
      const { query, headers } = request;
      if (readers.size >= services.limits.streams) {
        throw unavailable('this process has as many event streams as it takes on; ask again soon');
      }
      readers.add(reply);
      reply.raw.once('close', () => readers.delete(reply));
      const position = positionOf(query.after, headers['last-event-id']);
      const reader = new JobStream(services.streamLimits);
      const lease = await services.hub.listen(request.params.job_id, reader);
      try {
        return await answer(services, { request, reply, position, reader, lease });
      } catch (error) {
        lease.release();
        throw error;
      }
    },
  );
}

interface Asked {
  request: FastifyRequest;
  reply: FastifyReply;
  position: number | null;
  reader: JobStream;
  lease: Lease;
}

async function answer(services: Services, asked: Asked): Promise<FastifyReply> {
  const { request, reply, position, reader, lease } = asked;
  const { watcher } = lease;
  await watcher.ready;
  if (watcher.phase === 'missing') throw notFound(`there is no job "${watcher.jobId}"`);
  // A position beyond the log known here may be within the workflow's: ask before saying otherwise.
  if (position !== null && position > watcher.log.head) await watcher.sync().catch(() => undefined);
  if (watcher.phase === 'over' && position === watcher.log.head) {
    lease.release();
    return reply.code(204).send();
  }
  const fallback =
    watcher.job === null && position === null ? await lastKnown(services, asked) : null;
  const keepAlive = services.settings.keep_alive_ms ?? KEEP_ALIVE_MS;
  const stream = new EventStream(reply, keepAlive);
  services.streams.add(stream);
  stream.onClosed(() => {
    services.streams.delete(stream);
    lease.release();
  });
  reader.start({
    stream,
    lease,
    position,
    follow: (request.query as { follow?: unknown }).follow !== 'false',
    fallback,
    verified: watcher.phase !== 'starting' && !watcher.stale,
    onDropped: () => {
      services.metrics.count('event_streams_dropped_total');
    },
  });
  return reply;
}

/** While no worker answers, the last known state opens the stream. */
async function lastKnown(
  { snapshot }: Services,
  { lease }: Asked,
): Promise<{ seq: number; frame: Buffer } | null> {
  const job = await snapshot(lease.watcher.jobId).catch(() => null);
  return job === null ? null : { seq: job.seq, frame: frameOf('snapshot', job) };
}

/** Null: none given. */
function positionOf(after: number | undefined, lastEventId: string | undefined): number | null {
  if (lastEventId !== undefined && lastEventId !== '') return Number(lastEventId);
  return after ?? null;
}
