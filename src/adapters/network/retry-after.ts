/**
 * How long an answer asks to wait, in whichever form: the body's `retry_after`, the header `Retry-After` (seconds, or
 * a date by the server's clock), or words. The first valid one counts. Invalid ones (null, empty, negative, longer than a day,
 * another type) are skipped.
 */

interface AskedToWait {
  /** Of the body, as parsed. */
  body: unknown;
  text: string;
  /** The header `Retry-After`. */
  retry_after: string | null;
  /** The header `Date`: what a date in `retry_after` is relative to. */
  date: string | null;
}

/** Seconds; a longer wait is invalid. */
const MAX_VALID = 86_400;
/** Seconds. */
const MAX_WAIT = 600;
const MIN_WAIT = 1;

/** Seconds, whole, from 1 to 600; null when the answer does not say. `now`: the provider's time, where it sent no `Date`. */
export function retryAfter(answer: AskedToWait, now: number): number | null {
  const { body, text, retry_after: header } = answer;
  const wait = [
    inNumber(body),
    inNumber(header),
    inDate(header, instantOf(answer.date) ?? now),
    inWords(text),
  ].find((seconds) => seconds !== null && seconds >= 0 && seconds <= MAX_VALID);
  if (wait == null) return null;
  return Math.min(MAX_WAIT, Math.max(MIN_WAIT, Math.ceil(wait)));
}

/** A number, or a text with one, with or without its unit; of a header that was sent twice, the first. */
function inNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string') return null;
  const digits = /^\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:s\s*)?(?:,|$)/i.exec(value)?.[1];
  return digits === undefined ? null : Number(digits);
}

function inDate(header: string | null, now: number): number | null {
  const until = instantOf(header);
  return until === null ? null : (until - now) / 1000;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** "Your rate limit resets in ~9s.", "Try again in 1.5 minutes". */
function inWords(text: string): number | null {
  const found =
    /(?:~\s{0,3}|\b(?:in|after)\s{1,3})(\d{1,6}(?:\.\d{1,6})?)\s{0,3}(s|sec|seconds?|m|min|minutes?|h|hours?)\b/i.exec(
      text,
    );
  const [, amount, unit = ''] = found ?? [];
  return amount === undefined ? null : Number(amount) * (UNITS[unit.charAt(0).toLowerCase()] ?? 1);
}

const HTTP_DATE = /^\s*[a-z]{3,9},?\s.{0,30}\d{2}:\d{2}:\d{2}/i;

/**
 * An HTTP date in each of its three forms (RFC 9110, 5.6.7), as milliseconds since 1970; null for anything else. The
 * third form names no zone and means GMT.
 */
export function instantOf(text: string | null): number | null {
  if (text === null || !HTTP_DATE.test(text)) return null;
  const instant = Date.parse(/(gmt|utc|[+-]\d{4})\s*$/i.test(text) ? text : `${text.trim()} GMT`);
  return Number.isNaN(instant) ? null : instant;
}
