/**
 * Replicate's API in a few calls. Each call is exactly one HTTP request through the official client; its outcome is a
 * value, never an exception, so that the caller has to look at it.
 *
 * REPLICATE-1 One call, one request. The client would send a create up to six times on a network error or a 429; its `fetch`
 *    is therefore given every answer, good or bad, in an envelope that looks like a 200.
 * REPLICATE-2 `unclear` means that a prediction may exist; `rejected` and `throttled` mean that none does.
 * REPLICATE-3 The token goes to the configured origin only: URLs in answers are never followed.
 */
import Client from 'replicate';
import type { Proxies } from '../../config.js';
import { judgeAccount } from '../../domain/job/failures.js';
import type { FailureKind } from '../../domain/job/failures.js';
import { deadline } from '../network/deadline.js';
import { enveloped } from './response-envelope.js';
import type { Envelope } from './response-envelope.js';
import { outboundFetch } from '../network/outbound.js';
import { MeasuredClock } from './provider-clock.js';
import type { ProviderClock } from './provider-clock.js';
import {
  BUSY,
  describe,
  isGood,
  parseJson,
  refusalOf,
  rejectionOf,
  REJECTIONS,
  saysGone,
  secondsAskedFor,
  secondsToWait,
} from './provider-answers.js';
import { asObject, parsePrediction } from './parse-prediction.js';
import type { ProviderPrediction } from './parse-prediction.js';

export { isTerminal } from '../../domain/job/prediction-status.js';
export type { ProviderPrediction } from './parse-prediction.js';

export interface CreateRequest {
  model: string;
  /** Null for official models. */
  version: string | null;
  input: Record<string, unknown>;
  /** Seconds until Replicate itself ends the prediction, queue time included (5 s to 24 h there). */
  cancel_after: number;
  webhook: string | null;
}

export type CreateOutcome =
  | { type: 'created'; prediction: ProviderPrediction }
  | { type: 'throttled'; seconds: number; message: string }
  | { type: 'rejected'; kind: FailureKind; message: string; is_model_gone?: boolean }
  | { type: 'unclear'; message: string };

export type ReadOutcome =
  { type: 'found'; prediction: ProviderPrediction } | { type: 'missing' } | Unreadable;

/**
 * `retry_after`: seconds for which the provider wants not to be asked again, where it says so. `refused`: why the provider
 * refuses to answer, where it does.
 */
export interface Unreadable {
  type: 'unreadable';
  message: string;
  retry_after?: number;
  refused?: FailureKind;
}

/** A part of the account's list, by the provider's clock; `before` null: up to now. */
export interface Span {
  after: number;
  before: number | null;
}

/** `odd`: how many items are no predictions; each may be the one that is searched for. `next`: null on the last page. */
export type PageOutcome =
  | { type: 'page'; predictions: ProviderPrediction[]; odd: number; next: string | null }
  | Unreadable;

export type SecretOutcome =
  { type: 'found'; secret: string } | { type: 'unreadable'; message: string };

type VersionOutcome =
  | { type: 'found'; version: string }
  | { type: 'unreadable'; kind: FailureKind; message: string; is_model_gone?: boolean };

export interface Replicate {
  /** The provider's clock: `created_at`, `completed_at`, `deadline` and spans of the list are by it. */
  readonly clock: ProviderClock;
  create(request: CreateRequest): Promise<CreateOutcome>;
  get(id: string, signal?: AbortSignal): Promise<ReadOutcome>;
  /** Asks the provider to end it; the answer may still say `processing`. Harmless on a finished prediction. */
  cancel(id: string): Promise<ReadOutcome>;
  /** A page of the account's predictions, newest first: the first of a span, or what `next` of another says. */
  page(of: Span | { next: string }): Promise<PageOutcome>;
  /** The newest version of a community model, to be pinned. */
  latestVersion(model: string): Promise<VersionOutcome>;
  /** The key that signs the account's webhooks. */
  webhookSecret(): Promise<SecretOutcome>;
}

export interface ReplicateOptions {
  token: string;
  base_url: string;
  proxies?: Proxies;
  fetch?: typeof fetch;
  /** Milliseconds that one request may take. It may be longer than a heartbeat time-out: heartbeats are sent meanwhile. */
  timeout?: number;
}

export function createReplicate(options: ReplicateOptions): Replicate {
  const timeout = options.timeout ?? 10_000;
  const clock = new MeasuredClock();
  const client = new Client({
    auth: options.token,
    baseUrl: options.base_url,
    fetch: enveloped(options.fetch ?? outboundFetch(options.proxies), clock),
  });
  const predictionOf = (envelope: Envelope): ProviderPrediction | null =>
    isGood(envelope) ? parsePrediction(parseJson(envelope.text), clock.now()) : null;
  const unreadable = (envelope: Envelope): Unreadable => {
    const seconds = BUSY.has(envelope.status) ? secondsAskedFor(envelope, clock) : null;
    const refused = refusalOf(envelope);
    return {
      type: 'unreadable',
      message: describe(envelope),
      ...(seconds === null ? {} : { retry_after: seconds }),
      ...(refused === null ? {} : { refused }),
    };
  };

  const send = async (
    route: string,
    request: { method?: string; data?: object; headers?: Record<string, string> } = {},
    signal?: AbortSignal,
  ): Promise<Envelope> => {
    using limit = deadline(timeout, signal);
    const response = await client.request(route, {
      method: request.method ?? 'GET',
      ...request,
      signal: limit.signal,
    });
    return (await response.json()) as Envelope;
  };

  const read = async (
    route: string,
    method: string,
    signal?: AbortSignal,
  ): Promise<ReadOutcome> => {
    const envelope = await send(route, { method }, signal);
    if (envelope.status === 404) return { type: 'missing' };
    const prediction = predictionOf(envelope);
    return prediction === null ? unreadable(envelope) : { type: 'found', prediction };
  };

  return {
    clock,

    async create({ model, version, input, cancel_after, webhook }) {
      const route = version === null ? `models/${model}/predictions` : 'predictions';
      const envelope = await send(route, {
        method: 'POST',
        headers: { 'Cancel-After': `${String(clamp(Math.ceil(cancel_after), 5, 86_400))}s` },
        data: {
          ...(version === null ? {} : { version }),
          input,
          ...(webhook === null ? {} : { webhook, webhook_events_filter: ['completed'] }),
        },
      });
      return judgeCreate(envelope, predictionOf(envelope), clock);
    },

    get: (id, signal) => read(`predictions/${encodeURIComponent(id)}`, 'GET', signal),

    cancel: (id) => read(`predictions/${encodeURIComponent(id)}/cancel`, 'POST'),

    async page(of) {
      const search = 'next' in of ? of.next : searchFor(of);
      const envelope = await send(`predictions${search}`);
      const body = isGood(envelope) ? asObject(parseJson(envelope.text)) : null;
      if (body === null || !Array.isArray(body['results'])) return unreadable(envelope);
      const items = body['results'].map((item) => parsePrediction(item, clock.now()));
      const predictions = items.filter((item) => item !== null);
      // REPLICATE-3: only the query of `next` is used, on the configured origin.
      const next = typeof body['next'] === 'string' ? searchOf(body['next']) : '';
      return {
        type: 'page',
        predictions,
        odd: items.length - predictions.length,
        next: next === '' || next === search ? null : next,
      };
    },

    async latestVersion(model) {
      const envelope = await send(`models/${model}`);
      const body = isGood(envelope) ? asObject(parseJson(envelope.text)) : null;
      const id = asObject(body?.['latest_version'])?.['id'];
      if (typeof id === 'string' && VERSION.test(id)) return { type: 'found', version: id };
      return {
        type: 'unreadable',
        kind: REJECTIONS[envelope.status] ?? 'provider_error',
        message: `expected ${model} to have a published version, got ${describe(envelope)}`,
        is_model_gone: saysGone(envelope),
      };
    },

    async webhookSecret() {
      const envelope = await send('webhooks/default/secret');
      const key = isGood(envelope) ? asObject(parseJson(envelope.text))?.['key'] : null;
      return typeof key === 'string' && SECRET.test(key)
        ? { type: 'found', secret: key }
        : { type: 'unreadable', message: describe(envelope) };
    },
  };
}

/** REPLICATE-2 */
function judgeCreate(
  envelope: Envelope,
  prediction: ProviderPrediction | null,
  clock: ProviderClock,
): CreateOutcome {
  const message = describe(envelope);
  if (prediction !== null) return { type: 'created', prediction };
  const kind = rejectionOf(envelope);
  const isRefused = kind !== null || envelope.status === 429;
  // A refusal that contains a prediction contradicts itself, and proves nothing.
  if (!isRefused || holdsPrediction(envelope, clock)) return { type: 'unclear', message };
  const account = judgeAccount(message);
  if (account !== null) return { type: 'rejected', kind: account, message };
  if (kind !== null) {
    return { type: 'rejected', kind, message, is_model_gone: saysGone(envelope) };
  }
  return { type: 'throttled', seconds: secondsToWait(envelope, clock), message };
}

const holdsPrediction = ({ text }: Envelope, clock: ProviderClock): boolean =>
  parsePrediction(parseJson(text), clock.now()) !== null;

const VERSION = /^[0-9a-f]{64}$/;
/** With an empty key every signature could be forged. */
const SECRET = /^whsec_[A-Za-z0-9+/]{16,}={0,2}$/;

const time = (milliseconds: number): string =>
  encodeURIComponent(new Date(milliseconds).toISOString());
const searchFor = ({ after, before }: Span): string =>
  `?created_after=${time(after)}${before === null ? '' : `&created_before=${time(before)}`}`;
const searchOf = (url: string): string => (URL.canParse(url) ? new URL(url).search : '');
const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value));
