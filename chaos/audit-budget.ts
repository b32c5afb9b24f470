/**
 * The part of the audit about clips that were not paid for: what ended as over_budget did not fit under the cap of its
 * time, by the provider's books. Pure.
 *
 * O1 A queued clip is given up only while nothing of its job runs, so nothing but bills stands against it.
 * O2 Under way it is given up between two attempts, and told so later. Then other clips may have had money reserved,
 *    one estimate each, and the cap may have been raised after the decision: what it was when the attempt that failed was
 *    last told of holds.
 * O3 What nobody could settle, or look for, counts with its estimate.
 */
import type { JobEvent } from '../src/domain/job/job.schema.js';
import { addUsd } from '../src/domain/values/decimal.js';
import { expectThat, nameOf } from './evidence.js';
import type { Finding, Known, Over } from './evidence.js';
import { clipEventsOf } from './rounds.js';
import type { ClipEvent } from './rounds.js';

export const budgetFindings = (ended: Over, known: Known): Finding[] =>
  clipEventsOf(ended.log)
    .filter(({ type }) => type === 'clip.canceled' || type === 'clip.failed')
    .filter(({ clip }) => clip.error?.kind === 'over_budget')
    .flatMap((event) => fitted(ended, known, event));

function fitted(ended: Over, known: Known, event: ClipEvent): Finding[] {
  const estimate = event.clip.estimated_cost_usd;
  if (estimate === null) return [];
  const wasQueued = event.type === 'clip.canceled';
  const decided = wasQueued ? event.seq : lastTry(ended, event);
  const cap = capBefore(ended, decided);
  const billed = billedBefore({ ended, known, event, decided, estimate });
  // O1, O2: of those that may have had money reserved, this clip is one.
  const most = wasQueued ? 1 : (ended.scheduled.plan.batch_size ?? ended.job.batch_size);
  return expectThat(
    addUsd(billed, most * estimate) > addUsd(cap),
    'wrong_end',
    () =>
      `${nameOf(ended, event)} is over_budget, of $${String(cap)} were $${String(billed)} billed and at most $${String(addUsd(most * estimate))} wanted`,
  );
}

/** O2: the seq of what was told before the decision; a retry may have been granted and taken back since. */
const lastTry = ({ log }: Over, { seq, clip_index }: ClipEvent): number =>
  clipEventsOf(log).findLast(
    (event) => event.seq < seq && event.clip_index === clip_index && event.type !== 'clip.retrying',
  )?.seq ?? 0;

function capBefore({ scheduled, log }: Over, seq: number): number {
  const said = log.flatMap((event) =>
    event.type === 'job.warning' && event.seq < seq ? (event.max_cost_usd ?? []) : [],
  );
  return said.at(-1) ?? scheduled.plan.max_cost_usd ?? Infinity;
}

interface Moment {
  ended: Over;
  known: Known;
  event: ClipEvent;
  decided: number;
  estimate: number;
}

function billedBefore({ ended, known, event, decided, estimate }: Moment): number {
  const open = openBefore(ended.log, decided);
  const lines = ended.job.clips.flatMap(({ predictions }) => predictions);
  const costs = lines.flatMap(({ id }) => {
    const booked = known.get(id);
    if (booked === undefined || Date.parse(booked.created_at) > Date.parse(event.at)) return [];
    return open.has(id) ? Math.max(booked.usd, estimate) : booked.usd; // O3
  });
  const unknown = ended.log.filter(({ seq }) => seq < event.seq).filter(isUnknown);
  return addUsd(...costs, ...unknown.map(() => estimate));
}

/** O3: what a create may have left behind; the workflow warns of it and counts it for good. */
const isUnknown = (event: JobEvent): boolean =>
  event.type === 'job.warning' && event.message.startsWith('it could not be confirmed that');

/** O3: predictions without a known cost, as the job told them last. */
function openBefore(log: readonly JobEvent[], seq: number): ReadonlySet<string> {
  const told = clipEventsOf(log).filter((event) => event.seq <= seq);
  const last = new Map(told.map(({ clip_index, clip }) => [clip_index, clip.predictions]));
  const open = [...last.values()].flat().filter(({ cost_usd }) => cost_usd === null);
  return new Set(open.map(({ id }) => id));
}
