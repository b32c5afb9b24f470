/**
 * The audit of clips that ended as over_budget: by the provider's ledger, they did not fit under the cap of their
 * time. Pure.
 *
 * AUDIT-CAP-1 A queued clip is given up only while no clip of its job runs, so only bills count against it.
 * AUDIT-CAP-2 A started clip is given up between two attempts, and its event comes later. By then other clips may have
 *    money reserved, one estimate each, and the cap may have been raised after the decision: the cap at the last event of
 *    the failed attempt is the one that counts.
 * AUDIT-CAP-3 A prediction whose cost could not be settled, or looked for, counts with its estimate.
 */
import type { JobEvent } from '../src/domain/job/job.schema.js';
import { addUsd } from '../src/domain/values/decimal.js';
import { expectThat, nameOf } from './evidence.js';
import type { Finding, ProviderLedger, FinishedJob } from './evidence.js';
import { clipEventsOf } from './rounds.js';
import type { ClipEvent } from './rounds.js';

export const budgetFindings = (evidence: FinishedJob, ledger: ProviderLedger): Finding[] =>
  clipEventsOf(evidence.log)
    .filter(({ type }) => type === 'clip.canceled' || type === 'clip.failed')
    .filter(({ clip }) => clip.error?.kind === 'over_budget')
    .flatMap((event) => fitted(evidence, ledger, event));

function fitted(evidence: FinishedJob, ledger: ProviderLedger, event: ClipEvent): Finding[] {
  const estimate = event.clip.estimated_cost_usd;
  if (estimate === null) return [];
  const wasQueued = event.type === 'clip.canceled';
  const decided = wasQueued ? event.seq : lastTry(evidence, event);
  const cap = capBefore(evidence, decided);
  const billed = billedBefore({ evidence, ledger, event, decided, estimate });
  // AUDIT-CAP-1, AUDIT-CAP-2: this clip is one of those that may have money reserved.
  const most = wasQueued ? 1 : (evidence.scheduled.plan.batch_size ?? evidence.job.batch_size);
  return expectThat(
    addUsd(billed, most * estimate) > addUsd(cap),
    'wrong_end',
    () =>
      `${nameOf(evidence, event)} is over_budget, of $${String(cap)} were $${String(billed)} billed and at most $${String(addUsd(most * estimate))} wanted`,
  );
}

/** AUDIT-CAP-2: the last event before the decision; a retry may have been granted and withdrawn since. */
const lastTry = ({ log }: FinishedJob, { seq, clip_index }: ClipEvent): number =>
  clipEventsOf(log).findLast(
    (event) => event.seq < seq && event.clip_index === clip_index && event.type !== 'clip.retrying',
  )?.seq ?? 0;

function capBefore({ scheduled, log }: FinishedJob, seq: number): number {
  const said = log.flatMap((event) =>
    event.type === 'job.warning' && event.seq < seq ? (event.max_cost_usd ?? []) : [],
  );
  return said.at(-1) ?? scheduled.plan.max_cost_usd ?? Infinity;
}

interface Decision {
  evidence: FinishedJob;
  ledger: ProviderLedger;
  event: ClipEvent;
  decided: number;
  estimate: number;
}

function billedBefore({ evidence, ledger, event, decided, estimate }: Decision): number {
  const open = openBefore(evidence.log, decided);
  const lines = evidence.job.clips.flatMap(({ predictions }) => predictions);
  const costs = lines.flatMap(({ id }) => {
    const booked = ledger.get(id);
    if (booked === undefined || Date.parse(booked.created_at) > Date.parse(event.at)) return [];
    return open.has(id) ? Math.max(booked.usd, estimate) : booked.usd; // AUDIT-CAP-3
  });
  const unknown = evidence.log.filter(({ seq }) => seq < event.seq).filter(isUnknown);
  return addUsd(...costs, ...unknown.map(() => estimate));
}

/** AUDIT-CAP-3: a create with an unknown outcome; the workflow warns of it and keeps counting it. */
const isUnknown = (event: JobEvent): boolean =>
  event.type === 'job.warning' && event.message.startsWith('it could not be confirmed that');

/** AUDIT-CAP-3: predictions without a known cost in the last event before `seq`. */
function openBefore(log: readonly JobEvent[], seq: number): ReadonlySet<string> {
  const told = clipEventsOf(log).filter((event) => event.seq <= seq);
  const last = new Map(told.map(({ clip_index, clip }) => [clip_index, clip.predictions]));
  const open = [...last.values()].flat().filter(({ cost_usd }) => cost_usd === null);
  return new Set(open.map(({ id }) => id));
}
