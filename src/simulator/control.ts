/**
 * What tests and people may ask of the simulator itself: the books, faults, holds, settings. It has no
 * counterpart at Replicate and needs no credentials.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { roundUsd } from '../domain/values/decimal.js';
import type { Core } from './core.js';
import { HOLD_POINTS, type HoldPoint } from './effects.js';
import { FAULTS } from './faults.js';
import type { Held } from './holds.js';
import { isEnded, stateAt } from './lifecycle.js';
import { badRequest } from './refusals.js';
import { said, type PredictionRecord } from './record.js';
import { refusedSettings } from './runtime-settings.js';

/** Predictions that the books list one by one; the sums are about all. */
const MAX_LISTED = 2000;

type Body = Record<string, unknown> | null | undefined;

export function statsOf(core: Core): Record<string, unknown> {
  const now = core.now();
  const { bills, usd, ...totals } = core.predictions.totals(now);
  return {
    simulator: true,
    ...totals,
    bills: { count: bills, usd: roundUsd(usd) },
    alive: core.predictions.alive(now).length,
    ...core.counters.view(),
    held: heldNow(core),
    faults: core.desk.rules.map((rule) => ({ ...rule, remaining: times(rule.remaining) })),
    struck: core.desk.struck,
    settings: core.settings,
    predictions: [...core.predictions.newest()]
      .slice(0, MAX_LISTED)
      .map((record) => lineOf(core, record, now)),
  };
}

/** JSON has no infinity. */
const times = (count: number): number | 'always' => (count === Infinity ? 'always' : count);

function lineOf(core: Core, record: PredictionRecord, now: number): object {
  const state = stateAt(record, now);
  const bill = core.predictions.bill(record.id);
  return {
    id: record.id,
    model: record.model,
    prompt: record.caption,
    input: record.input,
    status: state.status,
    error: state.status === 'failed' ? state.error : null,
    billed: bill?.billed ?? false,
    usd: bill?.usd ?? 0,
    created_at: said(record.created_at, core.settings),
    completed_at: isEnded(state) ? said(state.ended_at, core.settings) : null,
    cancel_requested: record.cancel_at !== null,
    clip: record.clip,
  };
}

type HeldRun = Omit<Held, 'id'> & { id: null };

const heldNow = (core: Core): (Held | HeldRun)[] => [
  ...core.gates.list(),
  ...core.heldRuns().map((record) => heldRun(core, record, runPoint(record))),
  ...core.unlisted().map((record) => heldRun(core, record, 'while-unlisted')),
];

const runPoint = ({ plan }: PredictionRecord): HoldPoint =>
  plan.hold === 'starting' ? 'while-starting' : 'while-processing';

function heldRun(core: Core, record: PredictionRecord, at: HoldPoint): HeldRun {
  return {
    id: null,
    point: at,
    model: record.model,
    caption: record.caption,
    prediction_id: record.id,
    since: said(record.created_at, core.settings),
  };
}

export function controlRoutes(app: FastifyInstance, core: Core): void {
  app.get('/simulator/stats', () => statsOf(core));
  app.get('/simulator/faults', () => ({
    available: Object.entries(FAULTS).map(([name, row]) => ({
      name,
      at: row.at,
      says: row.says,
      arguments: row.takes,
      times: times(row.times),
    })),
    added: core.desk.rules,
  }));
  app.post<{ Body: Body }>('/simulator/faults', (request, reply) =>
    addFault(core, request.body, reply),
  );
  app.delete('/simulator/faults', () => {
    core.desk.clear();
    return { cleared: true };
  });
  app.post<{ Body: Body }>('/simulator/release', (request, reply) =>
    release(core, request.body, reply),
  );
  app.post<{ Body: Body }>('/simulator/settings', (request, reply) => {
    const change = request.body ?? {};
    const refused = refusedSettings(change);
    if (refused.length > 0) return refuse(reply, `unknown or impossible: ${refused.join(', ')}`);
    core.change(change);
    return reply.send(core.settings);
  });
  app.post('/simulator/reset', () => {
    core.reset();
    return { reset: true };
  });
}

const refuse = (reply: FastifyReply, message: string): FastifyReply => {
  const { status, headers, body } = badRequest(400, `simulator: ${message}`);
  return reply.code(status).headers(headers).send(body);
};

function addFault(core: Core, body: Body, reply: FastifyReply): FastifyReply {
  const { match = null, fault, times: most } = body ?? {};
  const count = most === 'always' ? Infinity : most;
  if (match !== null && typeof match !== 'string') return refuse(reply, 'match must be a string');
  if (count !== undefined && !(typeof count === 'number' && count > 0)) {
    return refuse(reply, 'times must be a positive number or "always"');
  }
  const rule = typeof fault === 'string' ? core.desk.add(match, fault, count) : undefined;
  if (rule === undefined) {
    return refuse(reply, `no such fault; there are ${Object.keys(FAULTS).join(', ')}`);
  }
  return reply.code(201).send({ ...rule, remaining: times(rule.remaining) });
}

/** `point`, `prediction_id` or `all: true`; answers how many were let through. */
function release(core: Core, body: Body, reply: FastifyReply): FastifyReply {
  const { point, prediction_id: prediction, all } = body ?? {};
  if (point !== undefined && !HOLD_POINTS.includes(point as HoldPoint)) {
    return refuse(reply, `point must be one of ${HOLD_POINTS.join(', ')}`);
  }
  if (point === undefined && prediction === undefined && all !== true) {
    return refuse(reply, 'expected point, prediction_id or all: true');
  }
  const fits = (held: Held | HeldRun): boolean =>
    all === true ||
    ((point === undefined || held.point === point) &&
      (prediction === undefined || held.prediction_id === prediction));
  const runs = core.heldRuns().filter((record) => fits(heldRun(core, record, runPoint(record))));
  for (const record of runs) core.releaseRun(record);
  const unlisted = core
    .unlisted()
    .filter((record) => fits(heldRun(core, record, 'while-unlisted')));
  for (const record of unlisted) core.list(record);
  return reply.send({ released: runs.length + unlisted.length + core.gates.release(fits) });
}
