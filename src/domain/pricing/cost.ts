/**
 * What a prediction costs: the price of a row that fits the input, the estimate before, the settlement after.
 * Pure. A price that nobody knows stays null all the way and never counts as zero.
 */
import { decimal, roundUsd } from '../values/decimal.js';
import type { PredictionStatus, UnitPrice } from '../job/job.schema.js';
import type { ModelRow } from '../models/row.js';
import { feeOf, fits } from '../models/rules.js';

/** The price whose conditions are true of the input, with what is charged for its files. */
export function priceFor(
  row: ModelRow,
  input: Readonly<Record<string, unknown>>,
): UnitPrice | null {
  const found = row.prices.find((price) => fits(row, input, price));
  if (found === undefined) return null;
  const { usd, per, as_of, source } = found;
  const fee = roundUsd(feeOf(row, input, found));
  return { usd, per, as_of, source, ...(fee === 0 ? {} : { fee_usd: fee }) };
}

const UNITS: Record<UnitPrice['per'], (requestedDuration: number, runTime: number) => number> = {
  second: (requestedDuration) => requestedDuration,
  clip: () => 1,
  run_second: (_, runTime) => runTime,
};

/** What one prediction will cost if it takes its usual time. */
export const estimateCost = (
  price: UnitPrice | null,
  requestedDuration: number,
  usualTime: number,
): number | null =>
  price === null
    ? null
    : roundUsd(price.usd * UNITS[price.per](requestedDuration, usualTime) + (price.fee_usd ?? 0));

export interface Settlement {
  cost_usd: number | null;
  billed: boolean;
}

/** Free: what never ran, and what failed where the provider does not charge for failures. */
const isBilled = (status: PredictionStatus, billsFailed: boolean): boolean =>
  status === 'succeeded' || (status !== 'aborted' && billsFailed);

/** Longer than a prediction can run at the provider, whose deadlines are at most a day. */
const LONGEST_RUN = 2 * 86_400;

const isMetered = (seconds: number | null): seconds is number =>
  seconds !== null && seconds >= 0 && seconds <= LONGEST_RUN;

/** What a prediction was started on. */
export interface Terms {
  price: UnitPrice | null;
  requested_duration: number;
  bills_failed: boolean;
}

/** How it ended. `predict_time`: seconds of run time, as metered; null when none were, or what was told is no time. */
export interface Outcome {
  status: PredictionStatus;
  predict_time: number | null;
}

/**
 * What a finished prediction has cost. Billed by run time and no time metered: nothing is known. The time between its
 * start and its end is no substitute: it may hold what is not billed, so a figure made of it would be a guess.
 */
export function settle(
  { price, requested_duration, bills_failed }: Terms,
  { status, predict_time }: Outcome,
): Settlement {
  if (!isBilled(status, bills_failed)) return { cost_usd: 0, billed: false };
  const runTime = isMetered(predict_time) ? predict_time : null;
  if (price === null || (price.per === 'run_second' && runTime === null)) {
    return { cost_usd: null, billed: true };
  }
  return { cost_usd: estimateCost(price, requested_duration, runTime ?? 0), billed: true };
}

/** How much more `requested` costs than `unbuffered`, in per cent with one digit. */
export const increasePercent = (requested: number, unbuffered: number): number =>
  unbuffered > 0 ? decimal((requested / unbuffered - 1) * 100, 1) : 0;
