/**
 * The part of the audit about money: what was billed fits the cap of its time, what a job says it spent is what
 * was billed, and no more was under way at once than a batch has. Pure.
 */
import { addUsd } from '../src/domain/values/decimal.js';
import { mostHeard } from './answers.js';
import { expectThat } from './evidence.js';
import type { Booked, Finding, Known, Over } from './evidence.js';

/** Sums of floats. */
const EPSILON = 1e-6;

export function moneyFindings(ended: Over, known: Known): Finding[] {
  const ids = new Set(
    ended.job.clips.flatMap(({ predictions }) => predictions.map(({ id }) => id)),
  );
  const booked = [...ids].flatMap((id) => known.get(id) ?? []);
  return [...caps(ended), ...spending(ended, booked), ...crowding(ended, booked)];
}

interface Cap {
  usd: number;
  /** Milliseconds; until the next is said. */
  until: number;
}

/** Every cap the job has had, in order; those that were raised are in its log. */
function capsOf({ scheduled, log }: Over): Cap[] {
  const said = log.flatMap((event) =>
    event.type === 'job.warning' && event.max_cost_usd !== undefined
      ? [{ usd: event.max_cost_usd, at: Date.parse(event.at) }]
      : [],
  );
  const first = { usd: scheduled.plan.max_cost_usd ?? Infinity, at: -Infinity };
  return [first, ...said].map(({ usd }, n) => ({ usd, until: said[n]?.at ?? Infinity }));
}

/** The caps are those that people set, and the last one holds. */
function caps(ended: Over): Finding[] {
  const { job } = ended;
  const wasSet = (usd: number): boolean =>
    mostHeard(ended, (word) => word.kind === 'raise_cap' && word.max_cost_usd === usd) > 0;
  const [, ...raised] = capsOf(ended);
  const last = capsOf(ended).at(-1)?.usd ?? Infinity;
  return [
    ...raised.flatMap(({ usd }) =>
      expectThat(
        wasSet(usd),
        'disagreement',
        () => `${job.job_id} has a cap of $${String(usd)} that nobody set`,
      ),
    ),
    ...expectThat(
      (job.max_cost_usd ?? Infinity) === last,
      'disagreement',
      () => `${job.job_id} says its cap is $${String(job.max_cost_usd)}, it is $${String(last)}`,
    ),
  ];
}

function spending(ended: Over, booked: readonly Booked[]): Finding[] {
  const { job_id, total_cost_usd: said } = ended.job;
  const billed = sum(booked);
  return [
    ...capsOf(ended).flatMap(({ usd, until }) => {
      // Caps are only ever raised: what was begun under one had to fit it.
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

const sum = (booked: readonly Booked[]): number => addUsd(...booked.map(({ usd }) => usd));

/** Never more than batch_size predictions of a job at the same time. */
function crowding({ job, scheduled }: Over, booked: readonly Booked[]): Finding[] {
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
  const late = scheduled.troubles.filter(({ late_twin }) => late_twin).length;
  const size = (scheduled.plan.batch_size ?? job.batch_size) + late;
  return expectThat(
    most <= size,
    'overspent',
    () =>
      `${job.job_id} had ${String(most)} predictions at once, its batches are of ${String(size)}`,
  );
}
