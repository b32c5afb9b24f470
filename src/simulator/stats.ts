/** What the simulator tells of itself at `/simulator/stats`: its ledger, its figures, and what it holds. */
import { roundUsd } from '../domain/values/decimal.js';
import type { Core } from './core.js';
import type { Figures } from './counters.js';
import type { HoldPoint } from './effects.js';
import type { FaultRule } from './fault-injector.js';
import type { Held } from './holds.js';
import { isEnded, stateAt } from './lifecycle.js';
import type { Totals } from './prediction-store.js';
import type { ClipShape, Input } from './published-models.js';
import { said, type PredictionRecord } from './record.js';
import type { Settings } from './runtime-settings.js';

/** Predictions in the list; the sums are about all. */
const MAX_LISTED = 2000;

/** A prediction in the ledger. */
interface LedgerLine {
  id: string;
  model: string;
  prompt: string;
  input: Input;
  status: string;
  error: string | null;
  billed: boolean;
  usd: number;
  created_at: string;
  completed_at: string | null;
  cancel_requested: boolean;
  clip: ClipShape;
}

type Count = number | 'always';

export interface SimulatorStats extends Omit<Totals, 'bills' | 'usd'>, Figures {
  simulator: true;
  bills: { count: number; usd: number };
  alive: number;
  held: (Held | HeldRun)[];
  faults: (Omit<FaultRule, 'remaining'> & { remaining: Count })[];
  /** How often each fault was injected, by name. */
  struck: Record<string, number>;
  settings: Settings;
  predictions: LedgerLine[];
}

export function statsOf(core: Core): SimulatorStats {
  const now = core.now();
  const { bills, usd, ...totals } = core.predictions.totals(now);
  return {
    simulator: true,
    ...totals,
    bills: { count: bills, usd: roundUsd(usd) },
    alive: core.predictions.alive(now).length,
    ...core.counters.view(),
    held: heldNow(core),
    faults: core.injector.rules.map((rule) => ({ ...rule, remaining: countOf(rule.remaining) })),
    struck: core.injector.struck,
    settings: core.settings,
    predictions: [...core.predictions.newest()]
      .slice(0, MAX_LISTED)
      .map((record) => lineOf(core, record, now)),
  };
}

/** JSON has no infinity. */
export const countOf = (count: number): Count => (count === Infinity ? 'always' : count);

function lineOf(core: Core, record: PredictionRecord, now: number): LedgerLine {
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

export type HeldRun = Omit<Held, 'id'> & { id: null };

const heldNow = (core: Core): (Held | HeldRun)[] => [
  ...core.holds.list(),
  ...core.heldRuns().map((record) => heldRun(core, record, runPoint(record))),
  ...core.unlisted().map((record) => heldRun(core, record, 'while-unlisted')),
];

export const runPoint = ({ plan }: PredictionRecord): HoldPoint =>
  plan.hold === 'starting' ? 'while-starting' : 'while-processing';

export function heldRun(core: Core, record: PredictionRecord, at: HoldPoint): HeldRun {
  return {
    id: null,
    point: at,
    model: record.model,
    caption: record.caption,
    prediction_id: record.id,
    since: said(record.created_at, core.settings),
  };
}
