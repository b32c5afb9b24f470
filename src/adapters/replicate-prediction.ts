/**
 * Reads a prediction out of a provider's answer: lenient in everything but what the ledger stands on
 * (an id and a status). Shapes after Replicate's OpenAPI document; unknown statuses count as running.
 */
import type { PredictionStatus } from '../domain/job.js';

export interface ProviderPrediction {
  id: string;
  model: string;
  version: string | null;
  status: PredictionStatus;
  input: Record<string, unknown>;
  /** The first file of the output, be it a string, a list or an object with a url. */
  output_url: string | null;
  error: string | null;
  logs: string;
  data_removed: boolean;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  deadline: string | null;
  predict_time: number | null;
  /** Where a person looks at it. */
  web_url: string;
}

const STATUSES: readonly PredictionStatus[] = [
  'starting',
  'processing',
  'succeeded',
  'failed',
  'canceled',
  'aborted',
];

export const asObject = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;

const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const asNumber = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const asTime = (value: unknown): string | null =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value))
    ? new Date(value).toISOString()
    : null;

function firstUrl(output: unknown): string | null {
  if (typeof output === 'string') return output === '' ? null : output;
  if (Array.isArray(output)) {
    return output.map(firstUrl).find((url) => url !== null) ?? null;
  }
  const object = asObject(output);
  return object === null ? null : firstUrl(object['url'] ?? object['video'] ?? null);
}

/** `now`: the provider's time, which stands in for a `created_at` that is missing. */
export function parsePrediction(value: unknown, now: number): ProviderPrediction | null {
  const body = asObject(value);
  const id = asText(body?.['id']);
  const status = asText(body?.['status']);
  if (body === null || id === null || id === '' || status === null) return null;
  const created = asTime(body['created_at']) ?? new Date(now).toISOString();
  return {
    id,
    model: asText(body['model']) ?? '',
    version: asText(body['version']),
    status: STATUSES.find((known) => known === status) ?? 'processing',
    input: asObject(body['input']) ?? {},
    output_url: firstUrl(body['output']),
    error: body['error'] == null ? null : (asText(body['error']) ?? JSON.stringify(body['error'])),
    logs: asText(body['logs']) ?? '',
    data_removed: body['data_removed'] === true,
    created_at: created,
    started_at: asTime(body['started_at']),
    completed_at: asTime(body['completed_at']),
    deadline: asTime(body['deadline']),
    predict_time: asNumber(asObject(body['metrics'])?.['predict_time']),
    web_url: asText(asObject(body['urls'])?.['web']) ?? `https://replicate.com/p/${id}`,
  };
}
