/** A provider's prediction as a line of the job's ledger, priced. */
import { settle } from '../domain/cost.js';
import type { Prediction, UnitPrice } from '../domain/job.js';
import type { ProviderPrediction } from '../adapters/replicate.js';
import { isTerminal } from '../adapters/replicate.js';

interface Terms {
  requested_duration: number;
  price: UnitPrice | null;
  bills_failed: boolean;
}

export function toLedger(
  prediction: ProviderPrediction,
  terms: Terms,
  attempt: number,
  adopted: boolean,
): Prediction {
  const { status, predict_time } = prediction;
  const settled = isTerminal(status) ? settle(terms, prediction) : { cost_usd: null, billed: null };
  return {
    id: prediction.id,
    attempt,
    status,
    url: prediction.web_url,
    created_at: prediction.created_at,
    completed_at: prediction.completed_at,
    predict_time,
    requested_duration: terms.requested_duration,
    unit_price: terms.price,
    ...settled,
    adopted,
  };
}
