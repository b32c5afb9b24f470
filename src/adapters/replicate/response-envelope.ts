/**
 * An HTTP answer as a value: good, bad or none at all, in an envelope that looks like a 200 to a client that would otherwise
 * send its request again (REPLICATE-1). An answer that is too long counts as none: what it says is not known.
 */
import { boundedText, TooLong } from '../../http/bounded-text.js';
import { ProxyError } from '../network/outbound.js';
import type { MeasuredClock } from './provider-clock.js';

/** `status` 0: no whole answer came. */
export interface Envelope {
  status: number;
  retry_after: string | null;
  date: string | null;
  text: string;
}

const seal = (envelope: Envelope): Response => Response.json(envelope);

/** REPLICATE-1: never throws, never shows the client a status that it would retry. The clock hears every answer. */
export const enveloped =
  (base: typeof fetch, clock: MeasuredClock): typeof fetch =>
  async (url, init) => {
    try {
      const asked = performance.now();
      const response = await base(url, { ...init, redirect: 'manual' });
      const { status, headers } = response;
      const date = headers.get('date');
      clock.hear({ date, age: headers.get('age'), asked, answered: performance.now() });
      return seal({
        status,
        retry_after: headers.get('retry-after'),
        date,
        text: await boundedText(response, { signal: init?.signal }),
      });
    } catch (error) {
      return seal({ status: 0, retry_after: null, date: null, text: transportMessage(error) });
    }
  };

function transportMessage(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error instanceof ProxyError || error instanceof TooLong) return error.message;
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause = error.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  return `connection failed (${code})`;
}
