/**
 * What models delivered against what they were asked, from finished jobs: one row a model, and another one for what
 * the simulator rendered in its name. Pure; it neither reads files nor knows where jobs are kept.
 *
 * D1 A file that was refused for its length counts as delivered and outside of every bound: its length is not known,
 *    so that the means are of the files that were kept.
 */
import type { ModelRow } from '../../domain/models/row.js';
import type { Clip, Job } from '../../domain/job/job.schema.js';
import { unknownCosts } from '../../domain/job/progress.js';
import { seconds, usd } from '../../client/figures.js';
import { table } from '../../terminal/format.js';

/** The few facts of a clip that are added up; a job's other parts need not be kept in memory. */
export interface Delivery {
  model: string;
  simulated: boolean;
  requested: number;
  /** Null: the file was refused for its length (D1). */
  actual: number | null;
  /** Of the prediction that made the file. */
  predict_time: number | null;
  /** Null also when a part of it is unknown: a sum of the others would make the model look cheap. */
  cost_usd: number | null;
}

/** Differences are actual − requested. Null where nothing is known. */
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

/** Empty for clips that never had a file. */
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

/** What was really paid for first; then by name. */
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

/** Sums of floats read as written. */
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
/** Down, so that 100 % means all of them. */
const share = (percent: number): string => `${String(Math.floor(percent))} %`;
