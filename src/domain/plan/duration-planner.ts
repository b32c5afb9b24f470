/**
 * The duration planner: target × model × buffer → the length to request, and the reason. Pure; it knows lengths, not models.
 *
 * LENGTH-1 the requested duration is one that the model accepts.
 * LENGTH-2 it is never below the target where the model can cover the target.
 * LENGTH-3 it is the smallest that covers the buffered target; the buffer, not the target, is capped at ten seconds.
 */
import { decimal } from '../values/decimal.js';
import type { BufferStrategy } from '../job/job.schema.js';
import type { DurationRule, LegalValues } from '../models/row.js';

/** No buffer lengthens a clip beyond this. */
export const BUFFER_CAP = 10;

/** A length that the model accepts, and the value that is sent for it. */
export interface LegalDuration {
  seconds: number;
  value: number | string;
}

export interface PlannedDuration {
  requested_duration: number;
  buffer_strategy: BufferStrategy;
  reason: string;
  chosen: LegalDuration;
  /** What would be requested without a buffer: the closest length, ties to the shorter. */
  closest: LegalDuration;
}

/** Lengths that follow from frames are rounded to the millisecond. */
const MILLISECONDS = 3;

const show = (seconds: number): string => String(decimal(seconds));

function valuesOf(legal: LegalValues): number[] {
  if ('values' in legal) return legal.values.map((value) => decimal(value)).sort((a, b) => a - b);
  const count = Math.floor(decimal((legal.max - legal.min) / legal.step)) + 1;
  return Array.from({ length: count }, (_, index) => decimal(legal.min + index * legal.step));
}

/** Every length of a model, ascending; `fps`: frames per second that the plan asks for. */
export function legalDurations(rule: DurationRule, fps?: number): LegalDuration[] {
  const values = valuesOf(rule.legal);
  if (rule.unit === 'seconds') return values.map((value) => ({ seconds: value, value }));
  return values.map((frames) => ({
    seconds: decimal(frames / (fps ?? rule.fps), MILLISECONDS),
    value: rule.labels?.[String(frames)] ?? frames,
  }));
}

/**
 * The target, rounded like the lengths. A planner that counts frames asks for 65 / 24 s. The model makes exactly that, but
 * its length is stated as 2.708 s, which is less.
 */
export function roundedTarget(rule: DurationRule, target: number, fps?: number): number {
  if (rule.unit === 'seconds') return decimal(target);
  const rate = fps ?? rule.fps;
  const seconds = Math.round(target * rate) / rate;
  return decimal(seconds) === decimal(target) ? decimal(seconds, MILLISECONDS) : decimal(target);
}

/** The length closest to the target; of two equally close ones the shorter. */
export function closestDuration(legal: readonly LegalDuration[], target: number): LegalDuration {
  return legal.reduce((best, item) =>
    decimal(Math.abs(item.seconds - target)) < decimal(Math.abs(best.seconds - target))
      ? item
      : best,
  );
}

interface Wanted {
  seconds: number;
  words: string;
}

/** The seconds that each strategy wants, whatever the model accepts. */
const WANTED: Record<BufferStrategy, (target: number, buffer: number) => Wanted> = {
  none: (target) => ({ seconds: target, words: `${show(target)} s` }),
  maximum: (target) => ({ seconds: target, words: `${show(target)} s` }),
  percentage: (target, buffer) => {
    const buffered = decimal(target * buffer);
    const product = `${show(target)} s × ${show(buffer)} = ${show(buffered)} s`;
    if (buffered <= BUFFER_CAP) return { seconds: buffered, words: product };
    if (target <= BUFFER_CAP) {
      return { seconds: BUFFER_CAP, words: `${product}, capped at ${String(BUFFER_CAP)} s,` };
    }
    return { seconds: target, words: `${show(target)} s (too long for a buffer)` };
  },
};

export interface DurationRequest {
  strategy: BufferStrategy;
  target: number;
  buffer: number;
}

const wantedOf = ({ strategy, target, buffer }: DurationRequest): Wanted =>
  WANTED[strategy](decimal(target), buffer);

/** LENGTH-3; null where no length covers the wanted seconds. */
const coveringOf = (legal: readonly LegalDuration[], { seconds: wanted }: Wanted) =>
  legal.find(({ seconds }) => seconds >= wanted) ?? null;

function longestOf(legal: readonly LegalDuration[]): LegalDuration {
  const longest = legal.at(-1);
  if (longest === undefined) throw new RangeError('expected at least one legal duration, got none');
  return longest;
}

/** The choice of `planDuration`, without the reason. */
export const chooseDuration = (
  legal: readonly LegalDuration[],
  request: DurationRequest,
): LegalDuration => coveringOf(legal, wantedOf(request)) ?? longestOf(legal);

/** `legal` is not empty: the schema of rows ensures that. */
export function planDuration(
  legal: readonly LegalDuration[],
  request: DurationRequest,
): PlannedDuration {
  const { strategy, target } = request;
  const wanted = wantedOf(request);
  const covering = coveringOf(legal, wanted);
  const chosen = covering ?? longestOf(legal);
  return {
    requested_duration: chosen.seconds,
    buffer_strategy: strategy,
    reason: reasonFor(legal, wanted, covering),
    chosen,
    closest: closestDuration(legal, target),
  };
}

function reasonFor(
  legal: readonly LegalDuration[],
  wanted: Wanted,
  covering: LegalDuration | null,
): string {
  const longest = show(legal.at(-1)?.seconds ?? 0);
  if (legal.length === 1) return `${longest} s is the only length that can be made here.`;
  if (covering === null) return `${wanted.words} exceeds the longest length, ${longest} s.`;
  return `${show(covering.seconds)} s is the smallest of ${listed(legal)} that covers ${wanted.words.replace(/,$/, '')}.`;
}

/** `5 or 10 s`; long lists as `2 to 12 s`. */
export function listed(legal: readonly LegalDuration[]): string {
  const seconds = legal.map((item) => show(item.seconds));
  if (seconds.length > 6) return `${seconds[0] ?? ''} to ${seconds.at(-1) ?? ''} s`;
  const last = seconds.at(-1) ?? '';
  return seconds.length === 1 ? `${last} s` : `${seconds.slice(0, -1).join(', ')} or ${last} s`;
}
