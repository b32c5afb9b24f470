/** Rows are consistent: every name is an input, every input that costs money is sent, every price has a date. */
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { priceFor } from '../../../src/domain/pricing/cost.js';
import { legalDurations } from '../../../src/domain/plan/duration-planner.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import { brokenRules, pricedInputs } from '../../../src/domain/models/rules.js';
import { catalogueJsonSchema, rowSchema } from '../../../src/domain/models/row.schema.js';
import { misfit } from '../../../src/domain/plan/model-settings.js';
import { rowOf } from './rows.js';

const rows = [...CATALOGUE.values()];

describe('CATALOGUE', () => {
  it('holds thirty-five models by their ids', () => {
    expect(rows).toHaveLength(35);
    expect([...CATALOGUE]).toEqual(rows.map((row) => [row.id, row]));
  });

  it.each(rows)('$id passes the check that rows of a file have to pass', (row) => {
    expect(rowSchema.safeParse(row).error?.issues ?? []).toEqual([]);
  });

  it.each(rows)('$id is the same after a round trip through JSON', (row) => {
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });

  it.each(rows)('$id makes only lengths that its own input accepts', (row) => {
    const { input } = row.duration;
    const field = input === null ? undefined : row.inputs[input];
    const values = legalDurations(row.duration).map(({ value }) => value);
    expect(values.length).toBeGreaterThan(0);
    if (field !== undefined) expect(values.filter((v) => misfit(field, v) !== null)).toEqual([]);
  });

  it.each(rows)('$id has the strategy none exactly when there is one length', (row) => {
    const one = legalDurations(row.duration).length === 1;
    expect(row.duration.strategy === 'none').toBe(one);
  });

  it.each(rows)('$id sends only what its inputs accept', (row) => {
    for (const [name, value] of Object.entries(row.sends)) {
      const field = row.inputs[name];
      expect(field === undefined ? 'no such input' : misfit(field, value)).toBeNull();
    }
  });

  it.each(rows)('$id always sends every input that its price depends on', (row) => {
    const isFile = (name: string) => ['uri', 'uris'].includes(row.inputs[name]?.type ?? '');
    const explicit = [...Object.keys(row.sends), row.duration.input];
    const priced = pricedInputs(row).filter((name) => !isFile(name));
    expect(priced.filter((name) => !explicit.includes(name))).toEqual([]);
  });

  const drafting = rows.filter(({ draft }) => draft !== undefined);

  it.each(drafting)('$id always sends the inputs that make a draft, and takes them', (row) => {
    for (const [name, value] of Object.entries(row.draft ?? {})) {
      expect(Object.keys(row.sends)).toContain(name);
      const field = row.inputs[name];
      expect(field === undefined ? 'no such input' : misfit(field, value)).toBeNull();
    }
  });

  it.each(drafting)('$id makes a draft for less than its default', (row) => {
    const length = legalDurations(row.duration)[0]?.value;
    const input = { ...row.sends, [row.duration.input ?? '']: length };
    const [draft, usual] = [priceFor(row, { ...input, ...row.draft }), priceFor(row, input)];
    expect(draft?.usd).toBeLessThan(usual?.usd ?? NaN);
    expect(draft?.per).toBe(usual?.per);
  });

  it.each(rows)('$id makes no sound unless it is asked for', (row) => {
    if (row.audio !== null) expect(row.sends[row.audio]).toBe(false);
  });

  it.each(rows)('$id fills the role of every input that has the name of one', (row) => {
    const roles = ['prompt', 'negative_prompt', 'seed'] as const;
    for (const role of roles.filter((name) => Object.hasOwn(row.inputs, name))) {
      expect(row[role]).toBe(role);
    }
  });

  it.each(rows)('$id offers only ratios that its input accepts', (row) => {
    const { input, values, with_image } = row.aspect_ratio;
    const field = input === null ? undefined : row.inputs[input];
    const all = [...values, ...(with_image === undefined ? [] : [with_image])];
    if (field !== undefined) expect(all.filter((v) => misfit(field, v) !== null)).toEqual([]);
  });
});

describe('brokenRules', () => {
  it('lets an absent input count as its default', () => {
    const veo = rowOf('google/veo-3.1');
    expect(brokenRules(veo, { reference_images: ['a'] })).toEqual([]);
    expect(brokenRules(veo, { reference_images: ['a'], duration: 6 })).toHaveLength(1);
    expect(brokenRules(veo, { reference_images: [], duration: 6 })).toEqual([]);
  });

  it('accepts any of several inputs where a rule names several', () => {
    const seedance = rowOf('bytedance/seedance-2.0');
    const sounds = { reference_audios: ['a'] };
    expect(brokenRules(seedance, sounds)).toHaveLength(1);
    expect(brokenRules(seedance, { ...sounds, reference_images: ['b'] })).toEqual([]);
    expect(brokenRules(seedance, { ...sounds, reference_videos: ['c'] })).toEqual([]);
  });

  it('counts images where a rule limits their number', () => {
    const omni = rowOf('kwaivgi/kling-v3-omni-video');
    const five = ['a', 'b', 'c', 'd', 'e'];
    expect(brokenRules(omni, { reference_images: five })).toEqual([]);
    expect(brokenRules(omni, { reference_images: five, reference_video: 'v' })).toHaveLength(1);
  });
});

describe('docs/model-catalogue.schema.json', () => {
  it('is what the schema of rows generates', async () => {
    const text = await format(JSON.stringify(catalogueJsonSchema()), {
      parser: 'json',
      printWidth: 100,
    });
    await expect(text).toMatchFileSnapshot('../../../docs/model-catalogue.schema.json');
  });
});
