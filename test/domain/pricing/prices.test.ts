/** Each possible request of a model has one price, and it is the right one: by row, by rule, by number of files. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateCost, priceFor, settle } from '../../../src/domain/pricing/cost.js';
import { legalDurations } from '../../../src/domain/plan/duration-planner.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import { pricedCombinations, priceMistake } from '../../../src/domain/pricing/price-check.js';
import type { InputField, ModelRow, PriceRow } from '../../../src/domain/models/row.js';
import { brokenRules, fits, pricedInputs } from '../../../src/domain/models/rules.js';
import { priceOf } from '../../../src/simulator/published-models.js';
import { rowOf } from '../models/rows.js';

const rows = [...CATALOGUE.values()];
const FILE = 'https://files.example/a';
const price = (usd: number, more: Partial<PriceRow> = {}): PriceRow => ({
  usd,
  per: 'second',
  as_of: '2026-10-05',
  source: 'test',
  ...more,
});

/** Any value that the provider accepts; a length among those that are planned. */
function anyValue(row: ModelRow, name: string, field: InputField): fc.Arbitrary<unknown> {
  if (name === row.duration.input) {
    return fc.constantFrom(...legalDurations(row.duration).map(({ value }) => value));
  }
  switch (field.type) {
    case 'boolean':
      return fc.boolean();
    case 'uri':
      return fc.constant(FILE);
    case 'uris':
      return fc.array(fc.constant(FILE), { maxLength: field.max_items ?? 12 });
    case 'string':
      return field.enum === undefined ? fc.string() : fc.constantFrom(...field.enum);
    case 'integer':
    case 'number':
      return field.enum === undefined
        ? fc.integer({ min: field.minimum ?? 0, max: field.maximum ?? 1000 })
        : fc.constantFrom(...field.enum);
  }
}

/** What a plan always sends and the length, and any of the other inputs. */
function anyInput(row: ModelRow): fc.Arbitrary<Record<string, unknown>> {
  const explicit = [...Object.keys(row.sends), row.duration.input];
  const required = Object.keys(row.inputs).filter(
    (name) => row.inputs[name]?.required === true || explicit.includes(name),
  );
  const values = Object.entries(row.inputs).map(([name, field]) => [
    name,
    anyValue(row, name, field),
  ]);
  return fc.record(Object.fromEntries(values) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: required,
  });
}

describe('the prices of the catalogue', () => {
  it.each(rows)('$id has exactly one price for every combination that changes it', (row) => {
    expect(priceMistake(row)).toBeNull();
    let walked = 0;
    for (const input of pricedCombinations(row)) {
      walked += 1;
      expect(row.prices.filter((one) => fits(row, input, one))).toHaveLength(1);
      expect(priceFor(row, input)).not.toBeNull();
    }
    expect(walked).toBeGreaterThanOrEqual(row.prices.length);
  });

  it.each(rows)('$id has a price for any input that its rules allow', (row) => {
    fc.assert(
      fc.property(anyInput(row), (input) => {
        if (brokenRules(row, input).length > 0) return;
        const found = row.prices.filter((one) => fits(row, input, one));
        expect(found, JSON.stringify(input)).toHaveLength(1);
      }),
    );
  });

  it.each(rows)('$id is billed what was estimated, for any input', (row) => {
    fc.assert(
      fc.property(anyInput(row), (input) => {
        if (brokenRules(row, input).length > 0) return;
        const unit = priceFor(row, input);
        const bill = priceOf(row, input);
        const seconds = legalDurations(row.duration).find(
          ({ value }) => value === input[row.duration.input ?? ''],
        )?.seconds;
        if (seconds === undefined || bill?.kind !== 'whole' || unit?.per === 'run_second') return;
        // Frames a second are planned with, and so is the length.
        if (row.duration.unit === 'frames' && unit?.per === 'second') return;
        const estimate = estimateCost(unit, seconds, row.usual_time);
        expect(estimate).toBe(bill.usd);
        const terms = { price: unit, requested_duration: seconds, bills_failed: row.bills_failed };
        const settled = settle(terms, { status: 'succeeded', predict_time: 3 });
        expect(settled).toEqual({ cost_usd: estimate, billed: true });
      }),
    );
  });

  it.each(rows.filter(({ prices }) => prices.some(({ when }) => when !== undefined)))(
    '$id is refused without any one of its prices',
    (row) => {
      for (const gone of row.prices) {
        const prices = row.prices.filter((one) => one !== gone);
        if (prices.length > 0) expect(priceMistake({ ...row, prices })).toMatch(/got none$/);
      }
    },
  );

  it.each(rows)('$id is refused with a new value that no price covers', (row) => {
    for (const name of pricedInputs(row)) {
      const field = row.inputs[name];
      if (field?.type !== 'string' || field.enum === undefined) continue;
      const inputs = { ...row.inputs, [name]: { ...field, enum: [...field.enum, '16k'] } };
      expect(priceMistake({ ...row, inputs })).toMatch(/"16k".*, got none$/);
    }
  });
});

describe('a price', () => {
  const seedance = rowOf('bytedance/seedance-2.0');
  const withPrices = (...prices: PriceRow[]): ModelRow => ({ ...seedance, prices });

  it('may depend on a file that is given or not', () => {
    const row = withPrices(
      price(1, { when: { last_frame_image: { is: 'unset' } } }),
      price(2, { when: { last_frame_image: { is: 'set' } } }),
    );
    expect(priceMistake(row)).toBeNull();
    expect(priceFor(row, {})?.usd).toBe(1);
    expect(priceFor(row, { last_frame_image: FILE })?.usd).toBe(2);
  });

  it('may depend on how many files there are', () => {
    const row = withPrices(
      price(1, { when: { reference_images: { at_most: 3 } } }),
      price(2, { when: { reference_images: { at_least: 4 } } }),
    );
    expect(priceMistake(row)).toBeNull();
    const usd = (count: number) =>
      priceFor(row, { reference_images: Array.from({ length: count }, () => FILE) })?.usd;
    expect([0, 1, 3, 4, 9].map(usd)).toEqual([1, 1, 1, 2, 2]);
  });

  it('may be that of several values', () => {
    const row = withPrices(
      price(1, { when: { resolution: { one_of: ['480p', '720p'] } } }),
      price(2, { when: { resolution: { one_of: ['1080p', '4k'] } } }),
    );
    expect(priceMistake(row)).toBeNull();
    expect(priceFor(row, { resolution: '4k' })?.usd).toBe(2);
  });

  it('may have a fee for each file, which is shown, estimated, settled and billed once', () => {
    const row = withPrices(
      price(0.1, { fees: [{ input: 'reference_images', usd: 0.04, above: 2 }] }),
    );
    expect(priceMistake(row)).toBeNull();
    expect(priceFor(row, { reference_images: [FILE, FILE] })).not.toHaveProperty('fee_usd');
    const input = { duration: 5, reference_images: [FILE, FILE, FILE, FILE] };
    const unit = priceFor(row, input);
    expect(unit).toEqual({ ...price(0.1), fee_usd: 0.08 });
    expect(estimateCost(unit, 5, 100)).toBe(0.58);
    expect(priceOf(row, input)).toEqual({ kind: 'whole', usd: 0.58 });
    const terms = { price: unit, requested_duration: 5, bills_failed: true };
    expect(settle(terms, { status: 'failed', predict_time: 1 }).cost_usd).toBe(0.58);
  });
});

describe('priceMistake', () => {
  const seedance = rowOf('bytedance/seedance-2.0');
  const withPrices = (...prices: PriceRow[]): ModelRow => ({ ...seedance, prices });

  it.each([
    [
      'a number of files between two prices',
      withPrices(
        price(1, { when: { reference_images: { at_most: 3 } } }),
        price(2, { when: { reference_images: { at_least: 5 } } }),
      ),
      'expected exactly one price for reference_images of 4, got none',
    ],
    [
      'no file',
      withPrices(price(2, { when: { reference_videos: { is: 'set' } } })),
      'expected exactly one price for reference_videos unset, got none',
    ],
    [
      'two prices, of which the cheaper comes first',
      withPrices(
        price(1, { when: { resolution: { one_of: ['480p', '720p', '1080p', '4k'] } } }),
        price(2),
      ),
      'expected exactly one price for resolution "480p", got prices.0 and prices.1',
    ],
    [
      'a text without an end of values',
      withPrices(price(1, { when: { prompt: 'a' } })),
      'expected exactly one price for prompt "", got none',
    ],
    [
      'a number that may have other values',
      withPrices(price(1, { when: { seed: 7 } })),
      'expected exactly one price for seed unset, got none',
    ],
  ])('names a hole or an overlap: %s', (_name, row, mistake) => {
    expect(priceMistake(row)).toBe(mistake);
  });

  it('needs no price for inputs that a rule excludes', () => {
    const prices = [
      price(1, {
        when: { mode: { one_of: ['standard', 'pro'] }, reference_video: { is: 'unset' } },
      }),
      price(2, { when: { mode: { one_of: ['standard', 'pro'] }, reference_video: { is: 'set' } } }),
      price(3, { when: { mode: '4k', reference_video: { is: 'unset' } } }),
    ];
    const omni = rowOf('kwaivgi/kling-v3-omni-video');
    expect(priceMistake({ ...omni, prices })).toBeNull();
    expect(priceMistake({ ...omni, prices, rules: [] })).toMatch(/mode "4k", reference_video set/);
  });

  it('accepts a row without any price', () => {
    expect(priceMistake(withPrices())).toBeNull();
  });

  it('refuses prices with too many combinations of inputs to check', () => {
    const many = Object.fromEntries(
      Array.from({ length: 17 }, (_, index) => [
        `flag_${String(index)}`,
        { type: 'boolean' } as const,
      ]),
    );
    const when = Object.fromEntries(Object.keys(many).map((name) => [name, true]));
    const row = { ...withPrices(price(1, { when })), inputs: many, sends: when };
    expect(priceMistake(row)).toMatch(/at most 100000 combinations of inputs apart, got 131072/);
  });
});
