/**
 * Decides, when a prediction is accepted, everything that will happen to it: how long it takes, how it ends,
 * what file it makes. Times differ a little between predictions, but always equally for one id.
 */
import { createHash } from 'node:crypto';
import type { ModelRow } from '../domain/models/row.js';
import { echoOf } from './stored-input.js';
import type { RunEffect } from './effects.js';
import { INVALID } from './faults.js';
import type { Outcome, RunPlan } from './lifecycle.js';
import {
  breaksLate,
  clipShapeOf,
  priceOf,
  type ClipShape,
  type Input,
} from './published-models.js';
import type { PredictionRecord } from './record.js';
import type { Settings } from './runtime-settings.js';

type PlannedRun = Pick<
  PredictionRecord,
  'plan' | 'output' | 'unmetered' | 'echo' | 'clip' | 'expires' | 'price' | 'bills_failed' | 'speed'
> & {
  /** Null: until it is released. */
  unlisted_seconds: number | null;
};

interface RunRequest {
  id: string;
  row: ModelRow;
  input: Input;
  effects: readonly RunEffect[];
  settings: Settings;
}

type Find = <Kind extends RunEffect['kind']>(
  kind: Kind,
) => Extract<RunEffect, { kind: Kind }> | undefined;

export function planRun(request: RunRequest): PlannedRun {
  const { row, input, effects, settings } = request;
  const find: Find = <Kind extends RunEffect['kind']>(kind: Kind) =>
    effects.find((effect): effect is Extract<RunEffect, { kind: Kind }> => effect.kind === kind);
  return {
    plan: courseOf(request, find),
    output: find('output')?.output ?? (row.output === 'uris' ? 'array' : 'string'),
    ...(find('unmetered') === undefined ? {} : { unmetered: true }),
    ...echoOf(row, input, new Set(effects.map(({ kind }) => kind))),
    clip: stretched(clipShapeOf(row, input), find('duration')?.factor ?? 1),
    expires: find('expire') !== undefined,
    price: priceOf(row, input),
    bills_failed: row.bills_failed,
    speed: settings.speed,
    unlisted_seconds: find('hold_listing') === undefined ? (find('unlisted')?.seconds ?? 0) : null,
  };
}

function courseOf({ id, row, input, settings }: RunRequest, find: Find): RunPlan {
  const ending = find('outcome') ?? naturalEnding(row, input);
  const varies = priceOf(row, input)?.kind !== 'run_second';
  const usual = row.usual_time * (varies ? variation(id) : 1);
  const milliseconds = (find('render')?.seconds ?? usual / settings.speed) * 1000;
  const stuck = find('stuck')?.phase;
  return {
    queue: stuck === 'starting' ? null : (settings.queue_seconds / settings.speed) * 1000,
    // Not rounded: times the speed it has to be the provider's time again.
    run: stuck === 'processing' ? null : milliseconds * ending.after,
    hold: find('hold_run')?.phase ?? null,
    outcome: filledIn(ending.outcome, id),
    run_limit: settings.run_limit * 1000,
  };
}

function naturalEnding(row: ModelRow, input: Input): { outcome: Outcome; after: number } {
  return breaksLate(row, input)
    ? { outcome: { status: 'failed', error: INVALID }, after: 0.1 }
    : { outcome: { status: 'succeeded' }, after: 1 };
}

const stretched = (clip: ClipShape, factor: number): ClipShape => ({
  ...clip,
  // At least 5 s more, so that it is wrong for short clips as well.
  duration: factor === 1 ? clip.duration : Math.max(clip.duration * factor, clip.duration + 5),
});

/** From 0.8 to 1.2, always the same for an id. Models billed by run time take exactly their usual time. */
const variation = (id: string): number =>
  0.8 + (createHash('sha256').update(id).digest().readUInt16BE(0) / 65_535) * 0.4;

/** The code of a run that Replicate appends to some of its messages. */
function filledIn(outcome: Outcome, id: string): Outcome {
  if (outcome.status !== 'failed' || outcome.error === null) return outcome;
  const run = createHash('sha256').update(`run ${id}`).digest('base64url').slice(0, 10);
  return { ...outcome, error: outcome.error.replace('{run}', run.replace(/[-_]/g, 'x')) };
}
