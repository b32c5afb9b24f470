/** What a plan would ask, cost and take, as text: the answer of `--dry-run`. Pure. */
import { plural, seconds, time, usd } from '../client/figures.js';
import type { ClipEstimate, Estimate } from '../client/wire.js';
import { oneLine, table, truncate } from './format.js';

const HEADINGS = ['clip', 'target', 'asked', 'strategy', 'cost', 'increase', 'takes', 'why'];
const FIGURES = new Set([0, 1, 2, 4, 5, 6]);
const LONGEST_REASON = 90;

export function estimateText(estimate: Estimate): string[] {
  const rows = estimate.clips.map((clip) => [
    String(clip.clip_index),
    seconds(clip.target_duration),
    seconds(clip.requested_duration),
    clip.buffer_strategy,
    usd(clip.estimated_cost_usd),
    `${String(clip.cost_increase_percent)} %`,
    `~${time(clip.usual_time)}`,
    truncate(oneLine(clip.duration_reason), LONGEST_REASON),
  ]);
  return [
    `Model ${estimate.model}`,
    '',
    ...table([HEADINGS, ...rows], FIGURES),
    '',
    ...totals(estimate),
    ...sent(estimate.clips),
    ...estimate.alternatives.map(
      ({ model, estimated_cost_usd, message }) =>
        `Cheaper: ${model}, ${usd(estimated_cost_usd)} for the job. ${oneLine(message)}`,
    ),
    ...estimate.warnings.map((warning) => `Warning: ${oneLine(warning)}`),
    'Nothing was started and nothing was paid.',
  ];
}

function totals(estimate: Estimate): string[] {
  const { makespan } = estimate;
  const now = estimate.dispatch === 'window' ? makespan.window : makespan.batches;
  const other =
    estimate.dispatch === 'window'
      ? `${time(makespan.batches)} in batches`
      : `${time(makespan.window)} with "dispatch": "window"`;
  return [
    `${plural(estimate.total_clips, 'clip')}, at least ${String(estimate.min_successful_clips)} needed: ` +
      `${seconds(estimate.requested_duration)} asked for ${seconds(estimate.target_duration)} wanted`,
    `Cost ${usd(estimate.estimated_cost_usd)}, ${increase(estimate)} without a buffer` +
      (estimate.max_cost_usd === null ? '' : `; cap ${usd(estimate.max_cost_usd)}`),
    ...(estimate.draft_cost_usd === undefined || estimate.final_cost_usd === undefined
      ? []
      : [`As drafts ${usd(estimate.draft_cost_usd)}, as finals ${usd(estimate.final_cost_usd)}`]),
    ...(estimate.fallbacks ?? []).map(
      ({ model, estimated_cost_usd }) =>
        `If ${model} has to take over all of it: ${usd(estimated_cost_usd)}`,
    ),
    `Takes about ${time(now)} (${other})`,
  ];
}

/** Where a price is missing, the seconds stand for it. */
const increase = ({ cost_increase_percent: more, unbuffered_cost_usd: plain }: Estimate): string =>
  plain === null ? `${String(more)} % more seconds than` : `${String(more)} % above ${usd(plain)}`;

/** Clips that are sent the same are told once. */
function sent(clips: readonly ClipEstimate[]): string[] {
  const groups = new Map<string, number[]>();
  for (const { clip_index, input } of clips) {
    const text = oneLine(JSON.stringify(input));
    groups.set(text, [...(groups.get(text) ?? []), clip_index]);
  }
  return [...groups].map(
    ([text, indexes]) =>
      `Sent besides the texts, ${plural(indexes.length, 'clip')} (${ranges(indexes)}): ${text}`,
  );
}

/** 0, 1, 2, 5 → 0–2, 5 */
export function ranges(indexes: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const index of indexes) {
    const last = runs.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([from, to]) => (from === to ? String(from) : `${String(from)}–${String(to)}`))
    .join(', ');
}
