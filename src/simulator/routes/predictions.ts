/** Replicate's routes about predictions: create, read, list, cancel. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  checkInput,
  findOfficial,
  findVersion,
  readBody,
  readCancelAfter,
  readPreference,
  type CreateBody,
  type Read,
} from '../create-request.js';
import { clipOf } from '../clip-of.js';
import type { Core, Wish } from '../core.js';
import { pageOf, readListQuery } from '../listing.js';
import { isEnded, nextChange, stateAt } from '../lifecycle.js';
import { holdsFile } from '../output-shapes.js';
import { PROBLEMS } from '../refusals.js';
import { viewOf, type PredictionRecord } from '../record.js';
import { exchangeOf, pause, sendAnswer, injectFaults, type Exchange } from '../exchange.js';
import type { ModelRow } from '../../domain/models/row.js';

export const originOf = (request: FastifyRequest): string =>
  `${request.protocol}://${request.host}`;

export const view = (
  core: Core,
  record: PredictionRecord,
  origin: string,
  now = core.now(),
): Record<string, unknown> => viewOf(record, { now, origin, ...core.settings });

/** Predictions whose end was read once: a `late` output is shown from the second time on. */
const told = new WeakSet<PredictionRecord>();

/** With the file itself where the output holds it. */
async function wholeView(
  core: Core,
  record: PredictionRecord,
  origin: string,
): Promise<Record<string, unknown>> {
  const now = core.now();
  const isOver = isEnded(stateAt(record, now));
  const file = isOver && holdsFile(record.output) ? (await clipOf(core, record)).bytes : undefined;
  const seen = viewOf(record, {
    now,
    origin,
    ...core.settings,
    ...(file === undefined ? {} : { file }),
  });
  return record.output === 'late' && !told.has(record) ? { ...seen, output: null } : seen;
}

export function predictionRoutes(app: FastifyInstance, core: Core): void {
  app.post('/v1/predictions', (request, reply) => {
    const body = readBody(request.body, true);
    const row = body.ok ? findVersion(core.catalogue, body.value.version ?? '') : body;
    return create(exchangeOf(core, request, reply), row, body);
  });
  app.post<{ Params: { owner: string; name: string } }>(
    '/v1/models/:owner/:name/predictions',
    (request, reply) => {
      const row = findOfficial(core.catalogue, `${request.params.owner}/${request.params.name}`);
      const body = row.ok ? readBody(request.body, false) : row;
      return create(exchangeOf(core, request, reply), row, body);
    },
  );
  app.get('/v1/predictions', (request, reply) => list(exchangeOf(core, request, reply)));
  app.get('/v1/predictions/:id', (request, reply) =>
    touch(exchangeOf(core, request, reply), 'poll', () => undefined),
  );
  app.post('/v1/predictions/:id/cancel', (request, reply) =>
    touch(exchangeOf(core, request, reply), 'cancel', (record) => {
      core.cancel(record);
    }),
  );
}

async function create(
  exchange: Exchange,
  row: Read<ModelRow>,
  body: Read<CreateBody>,
): Promise<FastifyReply> {
  const { core, request, reply } = exchange;
  core.counters.create_requests += 1;
  const wish = readWish(exchange, row, body);
  if (!wish.ok) {
    sendAnswer(exchange, wish.answer);
    return reply;
  }
  const subject = core.subjectOf(wish.value.row, wish.value.input);
  const nothing = { status: 500, body: PROBLEMS.internal };
  if ((await injectFaults(exchange, 'before-accept', subject, nothing)).over) return reply;
  const record = core.accept(wish.value, subject);
  const told = { ...subject, prediction_id: record.id };
  const content = { status: 201, body: view(core, record, originOf(request), record.created_at) };
  if ((await injectFaults(exchange, 'after-accept', told, content)).over) return reply;
  return answerCreated(exchange, record);
}

function readWish(
  { core, request }: Exchange,
  row: Read<ModelRow>,
  body: Read<CreateBody>,
): Read<Wish> {
  if (!row.ok) return row;
  if (!body.ok) return body;
  const input = checkInput(row.value, body.value.input, core.settings.unknown_inputs);
  if (!input.ok) return input;
  const cancelAfter = readCancelAfter(request.headers);
  if (!cancelAfter.ok) return cancelAfter;
  if (!core.hasCredit) return { ok: false, answer: PROBLEMS.insufficient_credit };
  return { ok: true, value: { row: row.value, cancel_after: cancelAfter.value, ...body.value } };
}

/** 201, or 202 when the client wanted to wait for an output that is not there yet. */
async function answerCreated(exchange: Exchange, record: PredictionRecord): Promise<FastifyReply> {
  const { core, request, reply, gone } = exchange;
  const wait = readPreference(request.headers);
  if (wait !== null) {
    await waitForEnd(core, record, wait * 1000, gone);
    void reply.header('preference-applied', wait === 60 ? 'wait' : `wait=${String(wait)}`);
  }
  // Who does not wait sees it as it was accepted, however fast it is.
  const now = wait === null ? record.created_at : core.now();
  const finished = isEnded(stateAt(record, now));
  const seen = view(core, record, originOf(request), now);
  return reply
    .code(wait === null || finished ? 201 : 202)
    .header('location', `${originOf(request)}/v1/predictions/${record.id}`)
    .send(seen);
}

async function waitForEnd(
  core: Core,
  record: PredictionRecord,
  most: number,
  gone: AbortSignal,
): Promise<void> {
  const until = core.now() + most;
  for (let now = core.now(); now < until && !gone.aborted; now = core.now()) {
    if (isEnded(stateAt(record, now))) return;
    // A cancel or a release may come between; so look again at least every quarter second.
    const next = Math.min(nextChange(record, now) ?? Infinity, until, now + 250);
    await pause(Math.max(1, next - now), gone);
  }
}

async function touch(
  exchange: Exchange,
  at: 'poll' | 'cancel',
  act: (record: PredictionRecord) => void,
): Promise<FastifyReply> {
  const { core, request, reply } = exchange;
  const { id } = request.params as { id: string };
  const record = core.predictions.get(id);
  if (record === undefined) {
    sendAnswer(exchange, PROBLEMS.not_found);
    return reply;
  }
  const content = { status: 200, body: await wholeView(core, record, originOf(request)) };
  if ((await injectFaults(exchange, at, core.subjectOfRecord(record), content)).over) return reply;
  act(record);
  const seen = await wholeView(core, record, originOf(request));
  if (seen['completed_at'] !== undefined) told.add(record);
  return reply.send(seen);
}

async function list(exchange: Exchange): Promise<FastifyReply> {
  const { core, request, reply } = exchange;
  const query = readListQuery(request.query as Record<string, unknown>, core.settings);
  if (!query.ok) {
    sendAnswer(exchange, query.answer);
    return reply;
  }
  const anyone = { model: '', text: request.url, tags: [], input_key: '', prediction_id: null };
  const content = { status: 200, body: { results: [] } };
  if ((await injectFaults(exchange, 'list', anyone, content)).over) return reply;
  const page = pageOf(core, query.value);
  const at = (cursor: string | null): string | null => {
    if (cursor === null) return null;
    const url = new URL(request.url, originOf(request));
    url.searchParams.set('cursor', cursor);
    return url.href;
  };
  const views = page.records.map((record) => wholeView(core, record, originOf(request)));
  const results = (await Promise.all(views)).map(({ webhook, ...rest }) =>
    core.settings.list_webhook && webhook !== undefined ? { ...rest, webhook } : rest,
  );
  return reply.send({ previous: at(page.previous), next: at(page.next), results });
}
