import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { openapiSchemaOf } from '../../src/simulator/published-schema.js';
import { differences } from '../../src/commands/catalogue-check/schema-differences.js';
import type { Finding } from '../../src/commands/catalogue-check/schema-differences.js';
import { modelTable } from '../../src/terminal/model-table.js';

const rows = [...CATALOGUE.values()];
const saidOf = (found: readonly Finding[]): string[] => found.map(({ says }) => says);
const KLING = CATALOGUE.get('kwaivgi/kling-v2.5-turbo-pro');

describe('the table of models', () => {
  it('has a line for every model, with what it makes and what it costs on which day', () => {
    const lines = modelTable(rows);
    expect(lines.indexOf('')).toBe(rows.length + 1);
    expect(lines.slice(rows.length + 2).join('\n')).toContain('is kwaivgi/kling-v3-video');
    const kling = lines.find((line) => line.startsWith('kwaivgi/kling-v2.5-turbo-pro'));
    expect(kling).toContain('5 or 10 s');
    expect(kling).toMatch(/superseded .*\$0\.07 a second\s+~\S+( s)?\s+\d{4}-\d\d-\d\d/);
  });
});

describe('a row against the schema of the provider', () => {
  it.each(rows)('$id differs in nothing from the schema made of it', (row) => {
    expect(differences(row, openapiSchemaOf(row))).toEqual([]);
  });

  it('names every input that came, went or changed', () => {
    if (KLING === undefined) throw new Error('expected a row for Kling, got none');
    const { prompt: _prompt, ...others } = KLING.inputs;
    const changed = {
      ...KLING,
      inputs: { ...others, sound: { type: 'boolean' } as const },
    };
    expect(saidOf(differences(changed, openapiSchemaOf(KLING)))).toEqual([
      'prompt: the provider has it, the row does not',
      'sound: the row has it, the provider does not',
    ]);
    const longer = {
      ...KLING,
      inputs: { ...KLING.inputs, duration: { type: 'integer' as const, enum: [5, 10, 15] } },
    };
    expect(saidOf(differences(longer, openapiSchemaOf(KLING)))).toEqual([
      'duration: values is ["10","15","5"] in the row, ["10","5"] at the provider',
    ]);
  });

  it.each([null, {}, { components: { schemas: { Input: [] } } }])(
    'survives a schema like %j',
    (schema) => {
      for (const row of rows) expect(differences(row, schema)).toHaveLength(1);
    },
  );
});
