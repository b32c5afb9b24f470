/**
 * The file host: clips with Range and ETag as long as they are kept, and every way a download can go wrong.
 * It needs no credentials and counts the requests that carry them.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clipOf } from '../clip-of.js';
import type { Core } from '../core.js';
import type { FileEffect } from '../effects.js';
import { PROBLEMS } from '../refusals.js';
import type { PredictionRecord } from '../record.js';
import { sendBytes } from '../send-bytes.js';
import { spoil } from '../spoiled-files.js';
import { exchangeOf, sendAnswer, injectFaults, type Exchange } from '../exchange.js';
import { originOf, view } from './predictions.js';

interface Delivery {
  Params: { token: string; name: string };
}

export function deliveryRoutes(app: FastifyInstance, core: Core): void {
  app.get<Delivery>('/delivery/:token/:name', (request, reply) => {
    core.counters.downloads += 1;
    if (request.headers.authorization !== undefined) core.counters.authorization_on_files += 1;
    return deliver(exchangeOf(core, request, reply), request.params.token);
  });
  // Where `redirect-file` sends clients: it answers, so that a client that follows is found out.
  app.get<Delivery>('/elsewhere/:token/:name', (request, reply) => {
    core.counters.downloads_elsewhere += 1;
    if (request.headers.authorization !== undefined) core.counters.authorization_elsewhere += 1;
    return deliver(exchangeOf(core, request, reply), request.params.token);
  });
}

async function deliver(exchange: Exchange, token: string): Promise<FastifyReply> {
  const { core, request, reply } = exchange;
  const record = core.predictions.byToken(token);
  if (record === undefined || !hasFile(core, record, request)) {
    sendAnswer(exchange, PROBLEMS.not_found);
    return reply;
  }
  if (record.expires) {
    core.expire(record);
    sendAnswer(exchange, PROBLEMS.not_found);
    return reply;
  }
  const subject = core.subjectOfRecord(record);
  const content = { status: 200, body: null };
  if ((await injectFaults(exchange, 'file', subject, content)).over) return reply;
  const effect = core.injector.take('content', subject) as FileEffect | undefined;
  const clip = await clipOf(core, record);
  if (effect !== undefined) return spoil(exchange, effect, clip);
  return sendBytes(request, reply, { ...clip, type: 'video/mp4' });
}

/** Exactly while the prediction shows a URL. */
function hasFile(core: Core, record: PredictionRecord, request: FastifyRequest): boolean {
  const { output } = view(core, record, originOf(request));
  return Array.isArray(output) ? output.length > 0 : output !== null;
}
