/**
 * A provider's prediction as a line of the job's ledger: priced, and with its times by the server's clock, since workflows
 * compare them with their own.
 */
import { settle } from '../domain/pricing/cost.js';
import type { Prediction, UnitPrice } from '../domain/job/job.schema.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import { asServerTime } from './server-clock.js';

interface Terms {
  requested_duration: number;
  price: UnitPrice | null;
  bills_failed: boolean;
}

export function toLedger(
  prediction: ProviderPrediction,
  terms: Terms,
  { attempt, adopted }: Pick<Prediction, 'attempt' | 'adopted'>,
  { clock }: Pick<Replicate, 'clock'>,
): Prediction {
  const { status, predict_time, created_at, completed_at } = prediction;
  const settled = isTerminal(status) ? settle(terms, prediction) : { cost_usd: null, billed: null };
  return {
    id: prediction.id,
    attempt,
    status,
    url: prediction.web_url,
    created_at: asServerTime(created_at, clock),
    completed_at: completed_at === null ? null : asServerTime(completed_at, clock),
    predict_time,
    requested_duration: terms.requested_duration,
    unit_price: terms.price,
    ...settled,
    adopted,
  };
}

/** A prediction of which only the id is known; a later reading takes its place. */
export const unread = (
  id: string,
  model: string,
  { clock }: Pick<Replicate, 'clock'>,
): ProviderPrediction => ({
  id,
  model,
  version: null,
  status: 'starting',
  input: {},
  output: { type: 'empty' },
  output_url: null,
  error: null,
  logs: '',
  data_removed: false,
  created_at: new Date(clock.now()).toISOString(),
  started_at: null,
  completed_at: null,
  deadline: null,
  predict_time: null,
  web_url: `https://replicate.com/p/${id}`,
});
