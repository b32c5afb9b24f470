/**
 * A row in words for comparing models: the columns of `npm run models` and of the page's list, and the values that they are
 * sorted and filtered by. Pure.
 */
import { legalDurations, listed } from '../plan/duration-planner.js';
import { isRetired, lifeCycleOf } from './life-cycle.js';
import type { ModelRow, PriceRow } from './row.js';

export interface ModelFacts {
  id: string;
  title: string;
  status: string;
  lengths: string;
  /** What `settings.resolution` may be. */
  sizes: string[];
  ratios: string[];
  /** `start (needed), end, 3 references` */
  images: string;
  takes: ReadonlySet<Feature>;
  price: string;
  /** Price of a second of its longest clip, at its lowest price; null: not known. */
  cheapest_second_usd: number | null;
  /** Seconds a clip usually takes. */
  usual_time: number;
  /** Days of the oldest and the newest price. */
  read_on: [oldest: string, newest: string] | null;
  is_retired: boolean;
}

/** Features that the list of models is filtered by. */
export const FEATURES = {
  text: 'text alone',
  start: 'start image',
  end: 'end image',
  references: 'references',
  sound: 'sound',
  seed: 'seed',
} as const;
export type Feature = keyof typeof FEATURES;

export function factsOf(row: ModelRow): ModelFacts {
  const days = row.prices.map(({ as_of }) => as_of).sort();
  const [oldest, newest] = [days[0], days.at(-1)];
  return {
    id: row.id,
    title: row.title,
    status: lifeCycleOf(row).status,
    lengths: listed(legalDurations(row.duration)),
    sizes: sizesOf(row),
    ratios: [...row.aspect_ratio.values],
    images: imagesOf(row),
    takes: takenBy(row),
    price: priceText(row.prices),
    cheapest_second_usd: cheapestSecond(row),
    usual_time: row.usual_time,
    read_on: oldest === undefined || newest === undefined ? null : [oldest, newest],
    is_retired: isRetired(row),
  };
}

const isNeeded = (row: ModelRow, name: string | null): boolean =>
  name !== null && row.inputs[name]?.required === true;

function takenBy(row: ModelRow): Set<Feature> {
  const fileIsNeeded = Object.values(row.inputs).some(
    ({ type, required }) => required === true && (type === 'uri' || type === 'uris'),
  );
  const has: Record<Feature, boolean> = {
    text: row.prompt !== null && !fileIsNeeded,
    start: row.start_image !== null,
    end: row.end_image !== null,
    references: row.references !== null,
    sound: row.audio !== null,
    seed: row.seed !== null,
  };
  return new Set((Object.keys(has) as Feature[]).filter((name) => has[name]));
}

/** What a plan may set: the words of the row's table, otherwise the values of its input. */
function sizesOf({ settings, inputs }: ModelRow): string[] {
  const rule = settings['resolution'];
  if (rule === undefined) return [];
  if (rule.as !== undefined) return Object.keys(rule.as);
  const field = rule.input === null ? undefined : inputs[rule.input];
  const values = field !== undefined && 'enum' in field ? (field.enum ?? []) : (rule.only ?? []);
  return values.map(String);
}

function imagesOf(row: ModelRow): string {
  const parts = [
    row.start_image === null ? null : `start${isNeeded(row, row.start_image) ? ' (needed)' : ''}`,
    row.end_image === null ? null : 'end',
    row.references === null ? null : `${String(row.references.limit)} references`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

const PER: Record<PriceRow['per'], string> = {
  second: 'a second',
  clip: 'a clip',
  run_second: 'a second of run time',
};

function priceText(prices: readonly PriceRow[]): string {
  const usd = prices.map((price) => price.usd);
  const first = prices[0];
  if (first === undefined) return 'unknown';
  const [low, high] = [Math.min(...usd), Math.max(...usd)];
  return `$${low === high ? String(low) : `${String(low)}–${String(high)}`} ${PER[first.per]}`;
}

function cheapestSecond({ prices, duration, usual_time }: ModelRow): number | null {
  const longest = legalDurations(duration).at(-1)?.seconds ?? 0;
  if (prices.length === 0 || longest === 0) return null;
  const seconds: Record<PriceRow['per'], number> = {
    second: 1,
    clip: 1 / longest,
    run_second: usual_time / longest,
  };
  return Math.min(...prices.map(({ usd, per }) => usd * seconds[per]));
}
