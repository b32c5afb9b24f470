/**
 * The prices of a row compared with those on the model's page: the provider's API has none. The page has them as `billingConfig` in a
 * block of JSON, a tier for each price, with criteria in words. Reads leniently, since the page may change. A tier that is not
 * understood is reported, never guessed. Pure.
 */
import { priceFor } from '../../domain/pricing/cost.js';
import type { ModelRow, PriceRow } from '../../domain/models/row.js';
import type { Finding } from './schema-differences.js';

type Loose = Record<string, unknown>;

const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Tier {
  usd: number;
  per: PriceRow['per'];
  criteria: { title: string; value: unknown }[];
}

const UNITS: Readonly<Record<string, PriceRow['per']>> = {
  video_output_duration_seconds: 'second',
  video_output_count: 'clip',
};

const SCRIPT = '<script type="application/json"';

/** The page's tiers for video; empty where none is published. */
export function tiersOf(page: string): Tier[] {
  for (let at = page.indexOf(SCRIPT); at >= 0; at = page.indexOf(SCRIPT, at + 1)) {
    const start = page.indexOf('>', at) + 1;
    const end = page.indexOf('</script>', start);
    const billing = end < 0 ? null : billingIn(parsed(page.slice(start, end)));
    if (billing !== null) return billing.flatMap(tierOf);
  }
  return [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** At any depth: the JSON around it may change. */
function billingIn(value: unknown): unknown[] | null {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (isObject(next) && isObject(next['billingConfig'])) {
      const { current_tiers, tiers } = next['billingConfig'];
      const list = current_tiers ?? tiers;
      if (Array.isArray(list)) return list as unknown[];
    }
    if (Array.isArray(next)) open.push(...(next as unknown[]));
    else if (isObject(next)) open.push(...Object.values(next).filter((item) => item !== undefined));
  }
  return null;
}

function tierOf(value: unknown): Tier[] {
  if (!isObject(value) || !Array.isArray(value['prices'])) return [];
  const given: unknown[] = Array.isArray(value['criteria']) ? value['criteria'] : [];
  const criteria = given.filter(isObject).map(({ title, value: wanted }) => ({
    title: String(title),
    value: wanted,
  }));
  return value['prices'].filter(isObject).flatMap(({ metric, price }) => {
    const per = UNITS[String(metric)];
    const usd = Number(String(price).replace(/^\$/, ''));
    return per === undefined || !Number.isFinite(usd) ? [] : [{ usd, per, criteria }];
  });
}

/** Compares each tier that a plan can cause with the row's price for the same input. */
export function priceDifferences(row: ModelRow, tiers: readonly Tier[]): Finding[] {
  return tiers.flatMap((tier): Finding[] => {
    const input = inputFor(row, tier);
    if (input === 'never asked') return [];
    const words = tier.criteria.map(({ title, value }) => `${title} ${String(value)}`).join(', ');
    const theirs = `$${String(tier.usd)} a ${tier.per}${words === '' ? '' : ` (${words})`}`;
    if (input === 'not understood') {
      return row.prices.some(({ usd, per }) => usd === tier.usd && per === tier.per)
        ? []
        : [{ weight: 'notice', says: `price: the provider asks ${theirs}, which no price says` }];
    }
    const ours = priceFor(row, input);
    if (ours === null) {
      return [{ weight: 'notice', says: `price: the provider asks ${theirs}, the row knows none` }];
    }
    if (ours.per === tier.per && ours.usd === tier.usd) return [];
    const says = `price: $${String(ours.usd)} a ${ours.per} in the row, ${theirs} at the provider`;
    const isDearer = ours.per !== tier.per || tier.usd > ours.usd;
    return [{ weight: isDearer ? 'costs' : 'notice', says }];
  });
}

/** An input of the row for which the tier is the price. */
function inputFor(row: ModelRow, tier: Tier): Loose | 'never asked' | 'not understood' {
  const input: Loose = { ...row.sends };
  for (const { title, value } of tier.criteria) {
    const part = partOf(row, title, value);
    if (typeof part === 'string') return part;
    Object.assign(input, part);
  }
  return input;
}

const A_FILE = 'https://example.com/a';
const SOUND: Readonly<Record<string, boolean>> = { with_audio: true, without_audio: false };
const GIVEN: Readonly<Record<string, boolean>> = { video_in: true, non_video_in: false };

function partOf(
  row: ModelRow,
  title: string,
  value: unknown,
): Loose | 'never asked' | 'not understood' {
  if (title === 'with audio') return sound(row, value === true);
  if (title === 'target resolution') return sized(row, value);
  const word = String(value);
  const isHeard = SOUND[word];
  if (isHeard !== undefined) return sound(row, isHeard);
  const isGiven = GIVEN[word];
  if (isGiven !== undefined) return withVideo(row, isGiven);
  if (word.endsWith('-with-video-input')) {
    const plain = variant(row, word.slice(0, -'-with-video-input'.length));
    const video = withVideo(row, true);
    if (typeof plain === 'string') return plain;
    return typeof video === 'string' ? video : { ...plain, ...video };
  }
  return variant(row, word);
}

/** Without a switch, the model decides by itself. */
const sound = (row: ModelRow, isOn: boolean): Loose =>
  row.audio === null ? {} : { [row.audio]: isOn };

function sized(row: ModelRow, value: unknown): Loose | 'never asked' {
  const name = row.settings['resolution']?.input ?? null;
  const field = name === null ? undefined : row.inputs[name];
  if (name === null || field === undefined || !('enum' in field)) return {};
  const known = (field.enum ?? []).map(String).find((item) => same(item, String(value)));
  return known === undefined ? 'never asked' : { [name]: known };
}
const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function withVideo(row: ModelRow, isGiven: boolean): Loose | 'never asked' {
  const found = Object.entries(row.inputs).find(
    ([name, { type }]) => name.startsWith('reference_video') && type.startsWith('uri'),
  );
  if (!isGiven) return {};
  if (found === undefined) return 'never asked';
  const [name, { type }] = found;
  return { [name]: type === 'uris' ? [A_FILE] : A_FILE };
}

/** A value of an enumeration, or a switch; `base`: no switch. */
function variant(row: ModelRow, word: string): Loose | 'never asked' | 'not understood' {
  for (const [name, field] of Object.entries(row.inputs)) {
    if (field.type === 'string' && field.enum?.includes(word) === true) return { [name]: word };
  }
  const switches = Object.keys(row.sends).filter((name) => row.inputs[name]?.type === 'boolean');
  const others = switches.filter((name) => name !== row.audio);
  if (word === 'base') return Object.fromEntries(others.map((name) => [name, false]));
  const named = others.find((name) => name === word || name.startsWith(`${word}_`));
  return named === undefined ? 'not understood' : { [named]: true };
}
