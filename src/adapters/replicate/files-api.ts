/**
 * Uploads to Replicate's files API through the official client, one request a call, as in replicate-client.ts. An upload
 * costs nothing and is deleted by the provider after a while; what it answers as URL works as an input there.
 */
import Client from 'replicate';
import type { FailureKind } from '../../domain/job/failures.js';
import { deadline } from '../network/deadline.js';
import { enveloped } from './response-envelope.js';
import type { Envelope } from './response-envelope.js';
import { outboundFetch } from '../network/outbound.js';
import { MeasuredClock } from './provider-clock.js';
import type { ProviderClock } from './provider-clock.js';
import { describe, isGood, parseJson, rejectionOf, secondsToWait } from './provider-answers.js';
import type { ReplicateOptions } from './replicate-client.js';
import { asObject } from './parse-prediction.js';

export type UploadOutcome =
  /** `expires_at`: by this machine's clock. */
  | { type: 'uploaded'; url: string; expires_at: string | null }
  | { type: 'rejected'; kind: FailureKind; message: string }
  /** Worth another try, in so many seconds where the provider says so. */
  | { type: 'later'; seconds: number | null; message: string };

export interface ReplicateFiles {
  upload(file: UploadFile, signal?: AbortSignal): Promise<UploadOutcome>;
}

interface UploadFile {
  name: string;
  content_type: string;
  bytes: Uint8Array;
}

export function createReplicateFiles(options: ReplicateOptions): ReplicateFiles {
  const clock = new MeasuredClock();
  const client = new Client({
    auth: options.token,
    baseUrl: options.base_url,
    fetch: enveloped(options.fetch ?? outboundFetch(options.proxies), clock),
  });
  return {
    async upload({ name, content_type, bytes }, signal) {
      const form = new FormData();
      form.append('content', new Blob([new Uint8Array(bytes)], { type: content_type }), name);
      form.append('filename', name);
      form.append('type', content_type);
      using limit = deadline(options.timeout ?? 60_000, signal);
      const response = await client.request('files', {
        method: 'POST',
        data: form,
        signal: limit.signal,
      });
      signal?.throwIfAborted();
      return outcomeOf((await response.json()) as Envelope, clock);
    },
  };
}

function outcomeOf(envelope: Envelope, clock: ProviderClock): UploadOutcome {
  const message = `the upload failed: ${describe(envelope)}`;
  if (envelope.status === 429) {
    return { type: 'later', seconds: secondsToWait(envelope, clock), message };
  }
  const kind = rejectionOf(envelope);
  if (kind !== null) return { type: 'rejected', kind, message };
  const body = isGood(envelope) ? asObject(parseJson(envelope.text)) : null;
  const url = asObject(body?.['urls'])?.['get'];
  if (typeof url !== 'string' || !URL.canParse(url))
    return { type: 'later', seconds: null, message };
  const expires = body?.['expires_at'];
  const moment = typeof expires === 'string' ? Date.parse(expires) : NaN;
  const expires_at = Number.isNaN(moment) ? null : new Date(moment - clock.ahead).toISOString();
  return { type: 'uploaded', url, expires_at };
}
