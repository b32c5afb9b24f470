/** Finds rows for tests, and says plainly when one is missing. */
import { CATALOGUE, type ModelRow } from '../../src/domain/models/index.js';

export function rowOf(id: string): ModelRow {
  const row = CATALOGUE.get(id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
}
