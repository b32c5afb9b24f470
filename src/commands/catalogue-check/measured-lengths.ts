/**
 * The lengths that models delivered compared with those requested, from finished jobs: a row for each model, and one for what
 * the simulator rendered as that model. Pure.
 *
 * LENGTHS-1 A file that was refused for its length counts as delivered, and as outside of every bound. Its length is unknown, so
 *    means are of the stored files.
 */
import type { ModelRow } from '../../domain/models/row.js';
import type { Clip, Job } from '../../domain/job/job.schema.js';
import { unknownCosts } from '../../domain/job/progress.js';
import { seconds, usd } from '../../client/figures.js';
import { table } from '../../terminal/format.js';

/** What is needed of a clip; the rest of its job is not kept in memory. */
export interface Delivery {
  model: string;
  simulated: boolean;
  requested: number;
  /** Null: the file was refused for its length (LENGTHS-1). */
  actual: number | null;
  /** Of the prediction that rendered the file. */
  predict_time: number | null;
  /** Null also when a part of the cost is unknown: the known parts alone would make the model look cheap. */
  cost_usd: number | null;
}

/** Differences are actual − requested. Null: unknown. */
export interface Measured {
  model: string;
  simulated: boolean;
  clips: number;
  wrong_duration: number;
  mean_requested_duration: number | null;
  mean_actual_duration: number | null;
  mean_difference: number | null;
  min_difference: number | null;
  max_difference: number | null;
  within_half_second_percent: number;
  within_two_seconds_percent: number;
  median_predict_time: number | null;
  /** As the catalogue says; null where the model is no longer in it. */
  usual_time: number | null;
  /** Of a clip, retries included. */
  median_cost_usd: number | null;
}

/** Without the clips that never had a file. */
export const deliveriesOf = ({ model, simulated, clips }: Job): Delivery[] =>
  clips
    .filter((clip) => clip.actual_duration !== null || clip.error?.kind === 'wrong_duration')
    .map((clip) => ({
      model: clip.model ?? model,
      simulated,
      requested: clip.requested_duration,
      actual: clip.actual_duration,
      predict_time: timeOf(clip),
      cost_usd: unknownCosts(clip) > 0 ? null : clip.cost_usd,
    }));

const timeOf = ({ predictions }: Clip): number | null =>
  predictions.findLast(({ status }) => status === 'succeeded')?.predict_time ?? null;

/** Real renders first; then by name. */
export function measure(deliveries: readonly Delivery[], rows: readonly ModelRow[]): Measured[] {
  const usual = new Map(rows.map(({ id, usual_time }) => [id, usual_time]));
  const groups = new Map<string, Delivery[]>();
  for (const each of deliveries) {
    const key = `${each.simulated ? '1' : '0'} ${each.model}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups]
    .sort(([a], [b]) => Number(a > b) - Number(a < b))
    .flatMap(([, group]) => {
      const [first] = group;
      return first === undefined ? [] : [summary(first, group, usual.get(first.model) ?? null)];
    });
}

function summary(
  { model, simulated }: Delivery,
  group: readonly Delivery[],
  usual: number | null,
): Measured {
  const kept = group.flatMap(({ requested, actual }) =>
    actual === null ? [] : [{ requested, actual, difference: rounded(actual - requested) }],
  );
  const differences = kept.map(({ difference }) => difference).sort((a, b) => a - b);
  const within = (bound: number): number =>
    rounded((100 * differences.filter((value) => Math.abs(value) <= bound).length) / group.length);
  return {
    model,
    simulated,
    clips: group.length,
    wrong_duration: group.length - kept.length,
    mean_requested_duration: mean(kept.map(({ requested }) => requested)),
    mean_actual_duration: mean(kept.map(({ actual }) => actual)),
    mean_difference: mean(differences),
    min_difference: differences[0] ?? null,
    max_difference: differences.at(-1) ?? null,
    within_half_second_percent: within(0.5),
    within_two_seconds_percent: within(2),
    median_predict_time: median(group.map(({ predict_time }) => predict_time)),
    usual_time: usual,
    median_cost_usd: median(group.map(({ cost_usd }) => cost_usd)),
  };
}

/** Without the noise of floating-point sums. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

const mean = (values: readonly number[]): number | null =>
  values.length === 0
    ? null
    : rounded(values.reduce((sum, value) => sum + value, 0) / values.length);

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : rounded((low + high) / 2);
}

const HEADINGS = [
  ...['model', 'clips', 'asked', 'got', 'difference', 'from', 'to'],
  ...['±0.5 s', '±2 s', 'run time', 'usual', 'cost'],
];
const FIGURES = new Set(HEADINGS.map((_, column) => column).slice(1));

export const measuredTable = (models: readonly Measured[]): string[] =>
  table([HEADINGS, ...models.map(cells)], FIGURES);

const cells = (of: Measured): string[] => [
  of.simulated ? `${of.model} (simulator)` : of.model,
  String(of.clips),
  known(of.mean_requested_duration, seconds),
  known(of.mean_actual_duration, (value) => `${value.toFixed(2)} s`),
  ...[of.mean_difference, of.min_difference, of.max_difference].map((value) =>
    known(value, signed),
  ),
  share(of.within_half_second_percent),
  share(of.within_two_seconds_percent),
  known(of.median_predict_time, seconds),
  known(of.usual_time, seconds),
  usd(of.median_cost_usd),
];

const known = (value: number | null, show: (value: number) => string): string =>
  value === null ? 'unknown' : show(value);
const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(2)} s`;
/** Rounded down, so that 100 % means all. */
const share = (percent: number): string => `${String(Math.floor(percent))} %`;
