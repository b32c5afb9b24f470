/** Finds rows for tests, and says plainly when one is missing. */
import { CATALOGUE, type Catalogue, type ModelRow } from '../../../src/domain/models/index.js';
import type { LifeCycle } from '../../../src/domain/models/row.js';

export function rowOf(id: string): ModelRow {
  const row = CATALOGUE.get(id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
}

const active: LifeCycle = {
  status: 'active',
  since: null,
  until: null,
  successor: null,
  source: 'a test',
};

/** Every row as if its model were active, so that rows of retired models are checked too. */
export const ALIVE: Catalogue = new Map(
  [...CATALOGUE].map(([id, row]) => [id, { ...row, life_cycle: active }]),
);
