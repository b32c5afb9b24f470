/**
 * The control routes of the simulator: stats, faults, holds, settings. They have no counterpart at Replicate and need no
 * credentials.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Core } from './core.js';
import { HOLD_POINTS, type HoldPoint } from './effects.js';
import { FAULTS } from './faults.js';
import type { Held } from './holds.js';
import { badRequest } from './refusals.js';
import { refusedSettings } from './runtime-settings.js';
import { countOf, heldRun, runPoint, statsOf, type HeldRun } from './stats.js';

type Body = Record<string, unknown> | null | undefined;

export function controlRoutes(app: FastifyInstance, core: Core): void {
  app.get('/simulator/stats', () => statsOf(core));
  app.get('/simulator/faults', () => ({
    available: Object.entries(FAULTS).map(([name, row]) => ({
      name,
      at: row.at,
      says: row.says,
      arguments: row.takes,
      times: countOf(row.times),
    })),
    added: core.injector.rules,
  }));
  app.post<{ Body: Body }>('/simulator/faults', (request, reply) =>
    addFault(core, request.body, reply),
  );
  app.delete('/simulator/faults', () => {
    core.injector.clear();
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
  const rule = typeof fault === 'string' ? core.injector.add(match, fault, count) : undefined;
  if (rule === undefined) {
    return refuse(reply, `no such fault; there are ${Object.keys(FAULTS).join(', ')}`);
  }
  return reply.code(201).send({ ...rule, remaining: countOf(rule.remaining) });
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
  return reply.send({ released: runs.length + unlisted.length + core.holds.release(fits) });
}
