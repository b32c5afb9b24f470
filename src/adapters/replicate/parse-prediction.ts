/**
 * Reads a prediction out of a provider's answer: lenient in everything but what the ledger stands on
 * (an id and a status). Shapes after Replicate's OpenAPI document; unknown statuses count as running.
 */
import type { PredictionStatus } from '../../domain/job/job.schema.js';
import { findOutput, INLINE_URL } from './prediction-output.js';
import type { Output } from './prediction-output.js';

export interface ProviderPrediction {
  id: string;
  model: string;
  version: string | null;
  status: PredictionStatus;
  input: Record<string, unknown>;
  /** What the model answered with; an inline file is whole here, and does not leave the activity that reads it. */
  output: Output;
  /** Where the video is: its address, `INLINE_URL` when the prediction itself holds it, null when there is none. */
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

/** Safe in URLs and as a file's name: claims are kept under it. */
const ID = /^[A-Za-z0-9_-]{1,100}$/;
/** Characters: of a message, half from its beginning and half from its end; of a name; of an address. */
const LONGEST = { message: 20_000, name: 300, address: 2_000 };

const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const asNumber = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const asTime = (value: unknown): string | null =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value))
    ? new Date(value).toISOString()
    : null;

/** Seconds that were metered; a text, a negative number or none is no measurement. */
const asSeconds = (value: unknown): number | null => {
  const seconds = asNumber(value);
  return seconds !== null && seconds >= 0 ? seconds : null;
};

const urlOf = (output: Output): string | null =>
  output.type === 'file' ? output.url : output.type === 'inline' ? INLINE_URL : null;

/** `now`: the provider's time, which stands in for a `created_at` that is missing. */
export function parsePrediction(value: unknown, now: number): ProviderPrediction | null {
  const body = asObject(value);
  const id = asText(body?.['id']);
  const status = asText(body?.['status']);
  if (body === null || id === null || !ID.test(id) || status === null) return null;
  const created = asTime(body['created_at']) ?? new Date(now).toISOString();
  const output = findOutput(body['output']);
  return {
    id,
    model: (asText(body['model']) ?? '').slice(0, LONGEST.name),
    version: asText(body['version'])?.slice(0, LONGEST.name) ?? null,
    status: STATUSES.find((known) => known === status) ?? 'processing',
    input: asObject(body['input']) ?? {},
    output,
    output_url: urlOf(output),
    error: body['error'] == null ? null : messageOf(body['error']),
    logs: withoutMiddle(asText(body['logs']) ?? ''),
    data_removed: body['data_removed'] === true,
    created_at: created,
    started_at: asTime(body['started_at']),
    completed_at: asTime(body['completed_at']),
    deadline: asTime(body['deadline']),
    predict_time: asSeconds(asObject(body['metrics'])?.['predict_time']),
    web_url: webUrlOf(body['urls']) ?? `https://replicate.com/p/${id}`,
  };
}

const messageOf = (error: unknown): string => withoutMiddle(asText(error) ?? JSON.stringify(error));

/** A text may be as long as a whole answer, and goes into histories. */
function withoutMiddle(text: string): string {
  const half = LONGEST.message / 2;
  if (text.length <= LONGEST.message) return text;
  return `${text.slice(0, half)}\n…\n${text.slice(-half)}`.toWellFormed();
}

function webUrlOf(urls: unknown): string | null {
  const url = asText(asObject(urls)?.['web']);
  if (url === null || url.length > LONGEST.address || !URL.canParse(url)) return null;
  return ['https:', 'http:'].includes(new URL(url).protocol) ? url : null;
}
