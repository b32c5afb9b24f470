/** What `npm run models` finds with a token, and what of it has to end with 1. */
import { describe, expect, it } from 'vitest';
import { openapiSchemaOf } from '../../../src/simulator/published-schema.js';
import { comparisonTable } from '../../../src/terminal/model-table.js';
import { parseModels } from '../../../src/terminal/arguments.js';
import {
  ageFindings,
  differences,
} from '../../../src/commands/catalogue-check/schema-differences.js';
import {
  priceDifferences,
  tiersOf,
} from '../../../src/commands/catalogue-check/published-prices.js';
import type { Comparison } from '../../../src/domain/pricing/estimate.schema.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import { rowOf } from '../../domain/models/rows.js';

/** A tier as the provider's pages have it: criteria in words, a price for a second or a clip. */
const tier = (price: string, ...criteria: [title: string, value: unknown][]) => ({
  criteria: criteria.map(([title, value]) => ({ title, type: 'equals', value })),
  prices: [{ metric: 'video_output_duration_seconds', type: 'per-unit', price }],
});
const page = (...current_tiers: object[]): string =>
  `<html><script type="application/json">{"a":1}</script><script type="application/json" id="x">${JSON.stringify(
    { deep: [{ model: { billingConfig: { current_tiers } } }] },
  )}</script></html>`;

const found = (id: string, ...tiers: object[]) =>
  priceDifferences(rowOf(id), tiersOf(page(...tiers)));

describe('published prices', () => {
  it('that are those of the row are no finding, in whichever form the schema has them', () => {
    const video = 'prunaai/p-video';
    const at = (variant: string, size: string, usd: string) =>
      tier(usd, ['model variant', variant], ['target resolution', size]);
    expect(
      found(
        video,
        at('base', '720p', '$0.02'),
        at('draft', '720p', '$0.005'),
        at('base', '1080p', '$0.04'),
        at('draft', '1080p', '$0.01'),
      ),
    ).toEqual([]);
    expect(
      found(
        'google/veo-3.1',
        tier('$0.40', ['model variant', 'with_audio']),
        tier('$0.20', ['model variant', 'without_audio']),
      ),
    ).toEqual([]);
    expect(
      found(
        'kwaivgi/kling-v3-video',
        tier('$0.168', ['with audio', false], ['model variant', 'standard']),
        tier('$0.336', ['with audio', true], ['model variant', 'pro']),
      ),
    ).toEqual([]);
  });

  it('that are higher are findings that cost, lower ones are notices', () => {
    const dearer = found('google/veo-3.1', tier('$0.50', ['model variant', 'with_audio']));
    expect(dearer).toEqual([
      {
        weight: 'costs',
        says: 'price: $0.4 a second in the row, $0.5 a second (model variant with_audio) at the provider',
      },
    ]);
    const cheaper = found('google/veo-3.1', tier('$0.10', ['model variant', 'without_audio']));
    expect(cheaper).toMatchObject([{ weight: 'notice' }]);
  });

  it('of inputs that a row never sends are no finding', () => {
    expect(found('google/veo-3.1', tier('$9', ['model variant', 'video_in']))).toEqual([]);
    expect(found('prunaai/p-video', tier('$9', ['target resolution', '4k']))).toEqual([]);
  });

  it('with criteria that are not understood are reported, and never taken for higher ones', () => {
    const [first] = found('google/veo-3.1', tier('$0.77', ['model variant', 'turbo-ultra']));
    expect(first).toMatchObject({ weight: 'notice' });
    expect(first?.says).toContain('$0.77 a second (model variant turbo-ultra)');
  });

  it.each(['', '<html>', page(), '<script type="application/json">{', page({ prices: 7 })])(
    'are none on a page like %j',
    (text) => {
      expect(tiersOf(text)).toEqual([]);
    },
  );
});

describe('a published schema', () => {
  const row = rowOf('prunaai/p-video');
  const without = (name: string) => {
    const { [name]: _gone, ...inputs } = row.inputs;
    return { ...row, inputs };
  };

  it('with an input that may cost and is never sent costs more', () => {
    const schema = openapiSchemaOf({
      ...row,
      inputs: { ...row.inputs, generate_audio: { type: 'boolean', default: true } },
    });
    expect(differences(row, schema)).toMatchObject([{ weight: 'costs' }]);
    const quiet = openapiSchemaOf({
      ...row,
      inputs: { ...row.inputs, generate_audio: { type: 'boolean', default: false } },
    });
    expect(differences(row, quiet)).toMatchObject([{ weight: 'notice' }]);
  });

  it('without an input that is always sent breaks the row', () => {
    expect(differences(row, openapiSchemaOf(without('draft')))).toMatchObject([
      { weight: 'breaks' },
    ]);
    expect(differences(row, openapiSchemaOf(without('seed')))).toMatchObject([
      { weight: 'notice' },
    ]);
  });

  it('with one more value is a notice, with one less it breaks the row', () => {
    const sizes = (values: string[]) =>
      openapiSchemaOf({
        ...row,
        inputs: { ...row.inputs, resolution: { type: 'string', enum: values, default: '720p' } },
      });
    expect(differences(row, sizes(['720p', '1080p', '4k']))).toMatchObject([{ weight: 'notice' }]);
    expect(differences(row, sizes(['720p']))).toMatchObject([{ weight: 'breaks' }]);
  });
});

describe('rows that were not looked at for long', () => {
  const row = rowOf('prunaai/p-video');
  it('are reported, and so is an announced end that has passed', () => {
    const day = Date.parse('2026-10-05');
    expect(ageFindings(row, day + 60 * 86_400_000)).toEqual([]);
    expect(ageFindings(row, day + 61 * 86_400_000)).toMatchObject([
      { weight: 'notice', says: 'its prices were read 61 days ago, on 2026-10-05' },
    ]);
    const life_cycle = {
      status: 'deprecated',
      since: '2026-01-01',
      until: '2026-10-01',
      successor: null,
      source: 'x',
    } as const;
    expect(ageFindings({ ...row, life_cycle }, day)).toMatchObject([
      { says: 'its end was announced for 2026-10-01: is it retired?' },
    ]);
  });
});

describe('the words after models', () => {
  it('are switches, and a plan after --for', () => {
    expect(parseModels(['--json', '--for', 'a.json'])).toEqual({
      ok: true,
      on: new Set(['json']),
      plan: 'a.json',
    });
    expect(parseModels(['--for=a.json'])).toMatchObject({ plan: 'a.json' });
    expect(parseModels([])).toMatchObject({ ok: true, plan: null });
  });

  it.each([
    [['--for'], 'a plan file after --for'],
    [['--for', 'a.json', '--measured'], 'got both'],
    [['--bogus'], '--for PLAN, got "--bogus"'],
  ])('%j is refused in one sentence', (words, part) => {
    const parsed = parseModels(words);
    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok ? '' : parsed.message).toContain(part);
  });
});

describe('the table of a comparison', () => {
  it('has the models that can make the plan, with cost and time, and then why the others cannot', () => {
    const fit: Comparison = {
      model: 'google/veo-3.1',
      can_make: true,
      estimated_cost_usd: 3.2,
      requested_duration: 16,
      makespan: { batches: 92, window: 92 },
      shorter_clips: 1,
      without_settings: ['settings.fps'],
    };
    const unfit = { model: 'kwaivgi/kling-v2.1', can_make: false, problem: 'a\npicture' } as const;
    const lines = comparisonTable([fit, unfit], CATALOGUE, 'google/veo-3.1');
    expect(lines[1]).toMatch(
      /^google\/veo-3\.1 \*\s+active\s+\$3\.20\s+16 s\s+~1:32\s+1 clip shorter than wanted; without settings\.fps$/,
    );
    expect(lines.slice(2, 5)).toEqual([
      '',
      '1 model cannot make it:',
      '  kwaivgi/kling-v2.1: a picture',
    ]);
  });
});
