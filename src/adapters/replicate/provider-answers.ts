/**
 * What an answer of the provider says, as values: whether it proves that nothing was created (REPLICATE-2), what it means for
 * a clip, how long it asks to wait, and its words. Any bytes may come: nothing throws.
 */
import { judgeRefusedCreate } from '../../domain/job/failures.js';
import type { FailureKind } from '../../domain/job/failures.js';
import { isShallow } from '../../domain/values/nesting.js';
import { beginningOf, wellFormed } from '../../domain/values/well-formed.js';
import type { Envelope } from './response-envelope.js';
import type { ProviderClock } from './provider-clock.js';
import { asObject } from './parse-prediction.js';
import { retryAfter } from '../network/retry-after.js';

export const isGood = ({ status }: Envelope): boolean => status >= 200 && status < 300;

/** What the provider says reaches Temporal, which refuses half a surrogate pair. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isShallow(value) ? wellFormed(value) : null;
  } catch {
    return null;
  }
}

/** Statuses that say "nothing was created", and what they mean for the clip. */
export const REJECTIONS: Readonly<Record<number, FailureKind>> = {
  400: 'invalid_input',
  401: 'unauthorized',
  402: 'insufficient_credit',
  403: 'unauthorized',
  404: 'invalid_input',
  405: 'provider_error',
  410: 'invalid_input',
  413: 'invalid_input',
  415: 'provider_error',
  422: 'invalid_input',
  451: 'flagged',
};

/** The answer to a request that names a model: there is none of that name, or no longer. */
export const saysGone = ({ status }: Envelope): boolean => status === 404 || status === 410;

/** Statuses under which a refusal of the content, or of an image, is sent too. */
const WITH_WORDS = new Set([400, 403, 422]);

/**
 * Null: the status does not say that nothing was created. The words of a JSON body may say more than the status: what
 * halts a job (403) must not be a prompt that was refused.
 */
export function rejectionOf({ status, text }: Envelope): FailureKind | null {
  const kind = REJECTIONS[status] ?? null;
  const isReadable = kind !== null && WITH_WORDS.has(status) && asObject(parseJson(text)) !== null;
  return isReadable ? judgeRefusedCreate(text, kind) : kind;
}

/** Why the provider itself refuses to answer; null for an answer that a proxy on the way may have given. */
export const refusalOf = ({ status, text }: Envelope): FailureKind | null =>
  (status === 401 || status === 403) && asObject(parseJson(text)) !== null ? 'unauthorized' : null;

/** Statuses that ask to wait because of the moment, not because of the request. */
export const BUSY: ReadonlySet<number> = new Set([429, 503]);

export const secondsAskedFor = (
  { text, retry_after, date }: Envelope,
  clock: ProviderClock,
): number | null =>
  retryAfter(
    { body: asObject(parseJson(text))?.['retry_after'], text, retry_after, date },
    clock.now(),
  );

/** How long a refused request has to wait; 10 s when the answer does not say. */
export const secondsToWait = (envelope: Envelope, clock: ProviderClock): number =>
  secondsAskedFor(envelope, clock) ?? 10;

/** A sentence about an answer, short, with the provider's own words, and never a header or a token. */
export function describe({ status, text }: Envelope): string {
  if (status === 0) return text;
  const body = asObject(parseJson(text));
  const words = ['title', 'detail']
    .map((key) => body?.[key])
    .filter((item) => typeof item === 'string');
  const said = words.length > 0 ? words.join(': ') : body ? 'an unexpected body' : 'no JSON body';
  return `HTTP ${String(status)}: ${beginningOf(said.trim(), 1000)}`;
}
