/** The catalogue as people compare models: one row a model; and what one plan costs and takes on each. Pure. */
import type { Comparison, Fit } from '../domain/pricing/estimate.schema.js';
import { factsOf } from '../domain/models/facts.js';
import { lifeCycleText } from '../domain/models/life-cycle.js';
import type { ModelRow } from '../domain/models/row.js';
import { plural, seconds, time, usd } from '../client/figures.js';
import { oneLine, table, truncate } from './format.js';

const HEADINGS = [
  ...['model', 'status', 'durations', 'sizes', 'ratios', 'images'],
  ...['sound', 'seed', 'price', 'usual', 'read on'],
];
const LONGEST = 24;

export const modelTable = (rows: readonly ModelRow[]): string[] => [
  ...table([HEADINGS, ...rows.map(cells)], new Set()),
  ...warningsOf(rows),
];

const cells = (row: ModelRow): string[] => {
  const facts = factsOf(row);
  return [
    facts.id,
    facts.status,
    facts.lengths,
    truncate(facts.sizes.join(' '), LONGEST),
    truncate(facts.ratios.join(' '), LONGEST),
    facts.images,
    facts.takes.has('sound') ? 'yes' : 'no',
    facts.takes.has('seed') ? 'yes' : 'no',
    facts.price,
    `~${time(facts.usual_time)}`,
    facts.read_on?.[0] ?? '',
  ];
};

/** Of models that go, or are gone. */
function warningsOf(rows: readonly ModelRow[]): string[] {
  const lines = rows.flatMap((row) => {
    const life = lifeCycleText(row);
    return life === null ? [] : [`${row.id}: ${life}`];
  });
  return lines.length === 0 ? [] : ['', ...lines];
}

const COMPARED = ['model', 'status', 'cost', 'asked', 'takes', ''];
const FIGURES = new Set([2, 3, 4]);

/** `own`: the model that the plan names. */
export function comparisonTable(
  comparisons: readonly Comparison[],
  rows: ReadonlyMap<string, ModelRow>,
  own: string,
): string[] {
  const fits = comparisons.filter((one) => one.can_make);
  const others = comparisons.filter((one) => !one.can_make);
  const statusOf = (id: string): string => {
    const row = rows.get(id);
    return row === undefined ? '' : factsOf(row).status;
  };
  const lines = fits.map((one) => [
    one.model === own ? `${one.model} *` : one.model,
    statusOf(one.model),
    usd(one.estimated_cost_usd),
    seconds(one.requested_duration),
    `~${time(one.makespan.batches)}`,
    remarks(one),
  ]);
  return [
    ...table([COMPARED, ...lines], FIGURES),
    ...(others.length === 0 ? [] : ['', `${plural(others.length, 'model')} cannot make it:`]),
    ...others.map(({ model, problem }) => `  ${model}: ${oneLine(problem)}`),
    '',
    `* the model of the plan. Nothing was started and nothing was paid.`,
  ];
}

const remarks = ({ shorter_clips, without_settings }: Fit): string =>
  [
    ...(shorter_clips > 0 ? [`${plural(shorter_clips, 'clip')} shorter than wanted`] : []),
    ...(without_settings.length > 0 ? [`without ${without_settings.join(', ')}`] : []),
  ].join('; ');
