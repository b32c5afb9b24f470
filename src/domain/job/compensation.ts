/**
 * What a later composing step has to do about clips that are too short or missing. Pure arithmetic on a finished job; it
 * changes no file.
 *
 * A shortfall carries over: the extended target of the next clip is its own target plus all seconds missing so far, and
 * what it has beyond its own target counts as compensation. A failed clip is a hole that carries over its whole target.
 * What is missing after the last clip is the total shortfall, and its share of the whole length decides: below 10 %
 * accept, up to 20 % warn, above 20 % extend the last good clip, above 50 % fail.
 */
import { decimal } from '../values/decimal.js';
import type {
  ClipCompensation,
  Compensation,
  CompensationVerdict,
  Extension,
} from './compensation.schema.js';
import type { Clip } from './job.schema.js';

/** The fields of a clip that this arithmetic reads. */
export type DeliveredClip = Pick<
  Clip,
  'clip_index' | 'status' | 'original_target_duration' | 'actual_duration'
>;

const ACCEPT_BELOW_PERCENT = 10;
const WARN_UP_TO_PERCENT = 20;
const FAIL_ABOVE_PERCENT = 50;
/** A shorter gap is filled with the last frame, a longer one by looping the clip. */
const FREEZE_BELOW_SECONDS = 2;
const MAX_EXTENSION_SECONDS = 5;

/** Milliseconds are finer than a frame. */
const round = (seconds: number): number => decimal(seconds, 3);

function verdictFor(percent: number, hasGoodClip: boolean): CompensationVerdict {
  if (percent > FAIL_ABOVE_PERCENT || !hasGoodClip) return 'fail';
  if (percent > WARN_UP_TO_PERCENT) return 'extend';
  return percent < ACCEPT_BELOW_PERCENT ? 'accept' : 'warn';
}

function extensionOf(shortfall: number, last: ClipCompensation): Extension {
  const seconds = round(Math.min(shortfall, MAX_EXTENSION_SECONDS));
  return {
    clip_index: last.clip_index,
    method: shortfall < FREEZE_BELOW_SECONDS ? 'freeze' : 'loop',
    seconds,
    remaining_shortfall: round(shortfall - seconds),
  };
}

function compensate(clip: DeliveredClip, missing: number): ClipCompensation {
  const delivered = clip.status === 'succeeded' ? (clip.actual_duration ?? 0) : 0;
  const extended = round(clip.original_target_duration + missing);
  const used = Math.min(delivered, extended);
  return {
    clip_index: clip.clip_index,
    original_target_duration: clip.original_target_duration,
    extended_target_duration: extended,
    actual_duration: clip.status === 'succeeded' ? clip.actual_duration : null,
    compensation_taken: round(Math.max(0, used - clip.original_target_duration)),
    shortfall_after: round(extended - used),
    hole: clip.status !== 'succeeded',
  };
}

/** Takes the clips in any order; they compensate for each other in the order of `clip_index`. */
export function compensationOf(delivered: readonly DeliveredClip[]): Compensation {
  const clips: ClipCompensation[] = [];
  for (const clip of [...delivered].sort((a, b) => a.clip_index - b.clip_index)) {
    clips.push(compensate(clip, clips.at(-1)?.shortfall_after ?? 0));
  }
  const target = round(clips.reduce((sum, clip) => sum + clip.original_target_duration, 0));
  const actual = round(clips.reduce((sum, clip) => sum + (clip.actual_duration ?? 0), 0));
  const shortfall = clips.at(-1)?.shortfall_after ?? 0;
  const percent = target === 0 ? 0 : decimal((shortfall / target) * 100, 2);
  const last = clips.findLast((clip) => !clip.hole);
  const verdict = verdictFor(percent, last !== undefined);
  return {
    total_target_duration: target,
    total_actual_duration: actual,
    total_shortfall: shortfall,
    shortfall_percent: percent,
    verdict,
    extension: verdict === 'extend' && last !== undefined ? extensionOf(shortfall, last) : null,
    clips,
  };
}
