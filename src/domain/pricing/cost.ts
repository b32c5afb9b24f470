/**
 * What a prediction costs: the price that fits its input, the estimate before it and the settlement after it. Pure. An
 * unknown price stays null and never counts as zero.
 */
import { decimal, roundUsd } from '../values/decimal.js';
import type { PredictionStatus, UnitPrice } from '../job/job.schema.js';
import type { ModelRow } from '../models/row.js';
import { feeOf, fits } from '../models/rules.js';

/** The price whose conditions fit the input, with the fee for its files. */
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

/** The cost of one prediction that takes its usual time. */
export const estimateCost = (
  price: UnitPrice | null,
  requestedDuration: number,
  usualTime: number,
): number | null =>
  price === null
    ? null
    : roundUsd(price.usd * UNITS[price.per](requestedDuration, usualTime) + (price.fee_usd ?? 0));

interface Settlement {
  cost_usd: number | null;
  billed: boolean;
}

/** A prediction that never ran is free, and so is a failed one where the provider does not charge for failures. */
const isBilled = (status: PredictionStatus, billsFailed: boolean): boolean =>
  status === 'succeeded' || (status !== 'aborted' && billsFailed);

/** Longer than a prediction can run at the provider, whose deadlines are at most a day. */
const MAX_RUN = 2 * 86_400;

const isMetered = (seconds: number | null): seconds is number =>
  seconds !== null && seconds >= 0 && seconds <= MAX_RUN;

/** The terms that a prediction was started on. */
interface Terms {
  price: UnitPrice | null;
  requested_duration: number;
  bills_failed: boolean;
}

/** How it ended. `predict_time`: metered seconds of run time; null when the provider gave none. */
interface Outcome {
  status: PredictionStatus;
  predict_time: number | null;
}

/**
 * The cost of a finished prediction. It is unknown where run time is billed and none was metered: the time between start
 * and end may include time that is not billed, so it is no substitute.
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

/** How much more `requested` costs than `unbuffered`, in percent with one decimal. */
export const increasePercent = (requested: number, unbuffered: number): number =>
  unbuffered > 0 ? decimal((requested / unbuffered - 1) * 100, 1) : 0;
