/** Rows from a file add to the catalogue or replace its rows; a mistake in the file is one sentence. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCatalogue, modelOf } from '../../src/settings/model-catalogue.js';
import { ConfigError } from '../../src/settings/config-error.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { rowOf } from '../domain/models/rows.js';
import { testFolder } from '../support/test-folder.js';

const kling = rowOf('kwaivgi/kling-v2.5-turbo-pro');
const VEO = 'google/veo-3.1';
const ending = { status: 'deprecated', since: '2026-02-01', until: '2026-03-01', source: 'x' };
const { path: folder, remove } = testFolder('catalogue');
afterAll(remove);

async function file(content: unknown): Promise<string> {
  const path = join(folder, 'models.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('a retired model', () => {
  const life_cycle = { status: 'retired', since: '2026-02-01', successor: VEO, source: 'x' };

  it('as the model of plans that name none is refused in one sentence, with its successor', async () => {
    const catalogue = loadCatalogue(await file({ models: [{ ...kling, life_cycle }] }));
    expect(() => modelOf(catalogue, kling.id)).toThrow(
      new ConfigError(
        `VIDEO_GENERATOR_MODEL: expected a model that is not retired, as this one is since 2026-02-01, such as ${VEO}, got "${kling.id}".`,
      ),
    );
    expect(modelOf(catalogue, VEO)).toBe(VEO);
  });

  it('of the delivered catalogue can be declared alive by a row of the file', async () => {
    const id = 'bytedance/seedance-1-lite';
    expect(() => modelOf(CATALOGUE, id)).toThrow(/not retired/);
    const alive = { ...rowOf(id), life_cycle: { status: 'active', source: 'it runs for us' } };
    expect(modelOf(loadCatalogue(await file({ models: [alive] })), id)).toBe(id);
  });
});

describe('loadCatalogue', () => {
  it('is the delivered catalogue without a file', () => {
    expect(loadCatalogue(null)).toBe(CATALOGUE);
  });

  it('adds a row and replaces another by its id', async () => {
    const extra = { ...kling, id: 'me/my-model' };
    const cheaper = { ...kling, usual_time: 5 };
    const catalogue = loadCatalogue(await file({ models: [extra, cheaper] }));
    expect(catalogue.size).toBe(CATALOGUE.size + 1);
    expect(catalogue.get('me/my-model')).toEqual(extra);
    expect(catalogue.get(kling.id)?.usual_time).toBe(5);
  });

  it('takes null for what is optional as nothing, and rounds lengths', async () => {
    const fields = { required: null, description: null, enum: null, default: null };
    const extra = {
      ...kling,
      id: 'me/with-nulls',
      inputs: { ...kling.inputs, extra: { type: 'string', max_length: null, ...fields } },
      prices: kling.prices.map((price) => ({ when: null, ...price })),
      settings: {
        ...kling.settings,
        extra: { input: 'extra', as: null, only: null, differs: null },
      },
      duration: { ...kling.duration, legal: { values: [5.000000000000001, 10] } },
    };
    const catalogue = loadCatalogue(await file({ $schema: null, models: [extra] }));
    expect(catalogue.get('me/with-nulls')).toEqual({
      ...kling,
      id: 'me/with-nulls',
      inputs: { ...kling.inputs, extra: { type: 'string' } },
      settings: { ...kling.settings, extra: { input: 'extra' } },
      duration: { ...kling.duration, legal: { values: [5, 10] } },
    });
  });

  it.each([
    ['a file that is no JSON', '{', /MODEL_CATALOGUE: expected JSON in ".*models.json", got: /],
    ['a list', [], /expected a file of model rows/],
    [
      'a wrong type',
      { models: [{ ...kling, usual_time: 'long' }] },
      /models.0.usual_time: expected a number, got "long"/,
    ],
    [
      'a name that is no input',
      { models: [{ ...kling, seed: 'seed' }] },
      /models.0.seed: expected one of the row's inputs/,
    ],
    [
      'null where a value is needed',
      { models: [{ ...kling, title: null }] },
      /models.0.title: expected a text, got null/,
    ],
    [
      'a successor that is no model',
      {
        models: [{ ...kling, life_cycle: { status: 'superseded', successor: 'a/b', source: 'x' } }],
      },
      /kling-v2.5-turbo-pro: life_cycle.successor: expected a model of the catalogue .*, got "a\/b"/,
    ],
    [
      'a retired model that does not say since when',
      { models: [{ ...kling, life_cycle: { status: 'retired', source: 'x' } }] },
      /life_cycle.since: expected the day since which it is retired, got nothing/,
    ],
    [
      'an end before its beginning',
      { models: [{ ...kling, life_cycle: { ...ending, until: '2026-01-01' } }] },
      /life_cycle.until: expected a day from 2026-02-01 on, got "2026-01-01"/,
    ],
    [
      'an end of what is not deprecated',
      { models: [{ ...kling, life_cycle: { ...ending, status: 'superseded' } }] },
      /life_cycle.until: expected no end unless it is deprecated, got "2026-03-01"/,
    ],
    [
      'a day that is none',
      { models: [{ ...kling, life_cycle: { ...ending, since: '2026-02-30' } }] },
      /life_cycle.since: expected /,
    ],
    [
      'a successor of an active model',
      { models: [{ ...kling, life_cycle: { status: 'active', successor: 'a/b', source: 'x' } }] },
      /life_cycle.successor: expected no successor while it is active, got "a\/b"/,
    ],
    ['an unknown field', { models: [{ ...kling, speed: 1 }] }, /models.0.speed/],
    [
      'a hole in the prices',
      { models: [{ ...kling, prices: [{ ...kling.prices[0], when: { aspect_ratio: '16:9' } }] }] },
      /models.0.prices: expected exactly one price for aspect_ratio "9:16", got none/,
    ],
    [
      'a price for all that other prices leave',
      {
        models: [
          { ...kling, prices: [{ ...kling.prices[0], when: { duration: 10 } }, kling.prices[0]] },
        ],
      },
      /models.0.prices: expected exactly one price for duration 10, got prices.0 and prices.1/,
    ],
    [
      'a fee for an input that it does not have',
      {
        models: [
          { ...kling, prices: [{ ...kling.prices[0], fees: [{ input: 'pictures', usd: 1 }] }] },
        ],
      },
      /models.0.prices: expected one of the row's inputs/,
    ],
  ])('refuses %s in one sentence that names the variable', async (_name, content, message) => {
    const text = refusal(await file(content));
    expect(text).toMatch(message);
    expect(text).not.toContain('\n');
  });

  it.each([
    ['that is not there', () => join(folder, 'none.json'), /there is no such file/],
    ['that is a folder', () => folder, /it is a folder/],
    ['in a folder that is a file', () => '/dev/null/models.json', /there is no such folder/],
    ['that never ends', () => '/dev/zero', /it has more than 4194304 bytes/],
  ])('names a file %s', (_which, path, message) => {
    expect(refusal(path())).toMatch(/^MODEL_CATALOGUE: expected a file of model rows in /);
    expect(refusal(path())).toMatch(message);
  });

  const rows = JSON.stringify({ models: [{ ...kling, id: 'me/my-model' }] });
  it.each([
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${rows}`)],
    ['UTF-16, little end first', Buffer.from(`\uFEFF${rows}`, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(`\uFEFF${rows}`, 'utf16le').swap16()],
  ])('reads %s', async (_encoding, bytes) => {
    const path = join(folder, 'models.json');
    await writeFile(path, bytes);
    expect(loadCatalogue(path).has('me/my-model')).toBe(true);
  });

  it('reports that bytes are no text, not the mistake of the JSON parser', async () => {
    const path = join(folder, 'models.json');
    await writeFile(path, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
    expect(refusal(path)).toMatch(/it is no text in UTF-8/);
  });
});

function refusal(path: string): string {
  try {
    loadCatalogue(path);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error(`expected a refusal of ${path}`);
}
