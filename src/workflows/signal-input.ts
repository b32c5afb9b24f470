/** Reads the inputs of signals, which may be anything; null where the input is wrong. Pure. */
import { decimal, roundUsd } from '../domain/values/decimal.js';
import type {
  AttemptFailed,
  ClipAsked,
  PredictionCreated,
  ProviderRefuses,
  RateLimited,
} from '../contract/workflow.js';

const field = (input: unknown, name: string): unknown =>
  typeof input === 'object' && input !== null
    ? (input as Record<string, unknown>)[name]
    : undefined;

export function asClipIndex(input: unknown): number | null {
  const value = field(input, 'clip_index');
  const index = typeof value === 'number' ? decimal(value) : NaN;
  return Number.isInteger(index) ? index : null;
}

/** The end of the clip that the sender saw; null asks for no check. */
export function asSeenEnd(input: unknown): string | null {
  const value = field(input, 'completed_at');
  return typeof value === 'string' ? value : null;
}

export const asTime = (value: unknown): string | null =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : null;

export function asUsd(input: unknown): number | null {
  const value = field(input, 'max_cost_usd');
  const usd = typeof value === 'number' ? roundUsd(value) : NaN;
  return Number.isFinite(usd) && usd > 0 ? usd : null;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

const isLedgerLine = (value: unknown): boolean =>
  typeof field(value, 'id') === 'string' &&
  typeof field(value, 'status') === 'string' &&
  typeof field(value, 'attempt') === 'number';

/** The signals of the paid activity come from this program or another release of it, so only their outline is checked. */
export const isPredictionCreated = (input: unknown): input is PredictionCreated =>
  asClipIndex(input) !== null && isLedgerLine(field(input, 'prediction'));

export const isAttemptFailed = (input: unknown): input is AttemptFailed =>
  asClipIndex(input) !== null &&
  typeof field(input, 'attempt') === 'number' &&
  typeof field(input, 'delay') === 'number' &&
  isObject(field(input, 'error')) &&
  (field(input, 'prediction') === null || isLedgerLine(field(input, 'prediction')));

export const isRateLimited = (input: unknown): input is RateLimited =>
  asClipIndex(input) !== null &&
  typeof field(input, 'seconds') === 'number' &&
  typeof field(input, 'message') === 'string';

export const isClipAsked = (input: unknown): input is ClipAsked =>
  asClipIndex(input) !== null && asTime(field(input, 'asked_at')) !== null;

export const isProviderRefuses = (input: unknown): input is ProviderRefuses =>
  asClipIndex(input) !== null &&
  typeof field(input, 'kind') === 'string' &&
  typeof field(input, 'message') === 'string';
