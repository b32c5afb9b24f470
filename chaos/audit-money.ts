/**
 * The audit of money: bills fit the cap that held at their time, the total a job reports is what was billed, and no more
 * predictions run at once than a batch has. Pure.
 */
import { addUsd } from '../src/domain/values/decimal.js';
import { maxCarriedOut } from './requests.js';
import { expectThat } from './evidence.js';
import type { LedgerEntry, Finding, ProviderLedger, FinishedJob } from './evidence.js';

/** Sums of floats. */
const EPSILON = 1e-6;

export function moneyFindings(evidence: FinishedJob, ledger: ProviderLedger): Finding[] {
  const ids = new Set(
    evidence.job.clips.flatMap(({ predictions }) => predictions.map(({ id }) => id)),
  );
  const booked = [...ids].flatMap((id) => ledger.get(id) ?? []);
  return [...caps(evidence), ...spending(evidence, booked), ...crowding(evidence, booked)];
}

interface Cap {
  usd: number;
  /** Milliseconds since 1970: when the next was set. */
  until: number;
}

/** Every cap the job has had, in order; raised ones are in its log. */
function capsOf({ scheduled, log }: FinishedJob): Cap[] {
  const said = log.flatMap((event) =>
    event.type === 'job.warning' && event.max_cost_usd !== undefined
      ? [{ usd: event.max_cost_usd, at: Date.parse(event.at) }]
      : [],
  );
  const first = { usd: scheduled.plan.max_cost_usd ?? Infinity, at: -Infinity };
  return [first, ...said].map(({ usd }, n) => ({ usd, until: said[n]?.at ?? Infinity }));
}

/** Every cap was set by the plan or a request, and the last one holds. */
function caps(evidence: FinishedJob): Finding[] {
  const { job } = evidence;
  const wasSet = (usd: number): boolean =>
    maxCarriedOut(
      evidence,
      (request) => request.kind === 'raise_cap' && request.max_cost_usd === usd,
    ) > 0;
  const [, ...raised] = capsOf(evidence);
  const last = capsOf(evidence).at(-1)?.usd ?? Infinity;
  return [
    ...raised.flatMap(({ usd }) =>
      expectThat(
        wasSet(usd),
        'disagreement',
        () => `${job.job_id} has a cap of $${String(usd)} that no request set`,
      ),
    ),
    ...expectThat(
      (job.max_cost_usd ?? Infinity) === last,
      'disagreement',
      () => `${job.job_id} says its cap is $${String(job.max_cost_usd)}, it is $${String(last)}`,
    ),
  ];
}

function spending(evidence: FinishedJob, booked: readonly LedgerEntry[]): Finding[] {
  const { job_id, total_cost_usd: said } = evidence.job;
  const billed = sum(booked);
  return [
    ...capsOf(evidence).flatMap(({ usd, until }) => {
      // Caps are only raised: predictions begun under one had to fit it.
      const begun = sum(booked.filter(({ created_at }) => Date.parse(created_at) < until));
      return expectThat(
        begun <= usd + EPSILON,
        'overspent',
        () => `${job_id} was billed $${String(begun)} under a cap of $${String(usd)}`,
      );
    }),
    ...expectThat(
      Math.abs(billed - said) <= EPSILON,
      'disagreement',
      () => `${job_id} says $${String(said)}, billed was $${String(billed)}`,
    ),
  ];
}

const sum = (booked: readonly LedgerEntry[]): number => addUsd(...booked.map(({ usd }) => usd));

/** Never more than batch_size predictions of a job at the same time. */
function crowding({ job, scheduled }: FinishedJob, booked: readonly LedgerEntry[]): Finding[] {
  const moments = booked
    .flatMap(({ created_at, completed_at }) => [
      { at: Date.parse(created_at), change: 1 },
      { at: completed_at === null ? Infinity : Date.parse(completed_at), change: -1 },
    ])
    // Ends first: one may begin in the millisecond in which another ends.
    .sort((a, b) => a.at - b.at || a.change - b.change);
  let alive = 0;
  let most = 0;
  for (const { change } of moments) most = Math.max(most, (alive += change));
  const late = scheduled.faults.filter(({ late_duplicate }) => late_duplicate).length;
  const size = (scheduled.plan.batch_size ?? job.batch_size) + late;
  return expectThat(
    most <= size,
    'overspent',
    () =>
      `${job.job_id} had ${String(most)} predictions at once, its batches are of ${String(size)}`,
  );
}
