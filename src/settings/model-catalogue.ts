/**
 * The model catalogue of a process: the delivered rows, and those of the file MODEL_CATALOGUE, which add to them or replace them by
 * id. A mistake in the file is one sentence, and nothing starts.
 */
import { CATALOGUE, type Catalogue, type ModelRow } from '../domain/models/index.js';
import { isRetired, lifeCycleOf, lifeCycleProblems } from '../domain/models/life-cycle.js';
import { asRow, catalogueFileSchema } from '../domain/models/row.schema.js';
import { nearestWord } from '../domain/plan/nearest-word.js';
import { shapeProblems } from '../domain/plan/plan-problems.schema.js';
import { errorMessage } from '../domain/values/error-message.js';
import { readTextFile } from './text-file.js';
import { ConfigError, refuse } from './config-error.js';

const MAX_BYTES = 4 * 1024 * 1024;
const NAMED_PROBLEMS = 3;

export function loadCatalogue(path: string | null): Catalogue {
  if (path === null) return CATALOGUE;
  const value = parse(path, read(path));
  const parsed = catalogueFileSchema.safeParse(value);
  if (!parsed.success) {
    const problems = shapeProblems(parsed.error.issues, value, {}).map((item) =>
      item.path === '' ? item.message : `${item.path}: ${item.message}`,
    );
    const more = problems.length - NAMED_PROBLEMS;
    const rest = more > 0 ? `; and ${String(more)} more` : '';
    return fail(path, `a file of model rows`, problems.slice(0, NAMED_PROBLEMS).join('; ') + rest);
  }
  const rows = parsed.data.models.map((row) => [row.id, asRow(row)] as const);
  const catalogue = new Map([...CATALOGUE, ...rows]);
  const [problem] = lifeCycleProblems(catalogue);
  return problem === undefined ? catalogue : fail(path, 'a file of model rows', problem);
}

/** The default model has to be one that a plan can name. */
export function modelOf(catalogue: Catalogue, id: string): string {
  const row = catalogue.get(id);
  if (row !== undefined) return isRetired(row) ? refuseRetired(row) : id;
  const meant = nearestWord(id, [...catalogue.keys()]);
  const hint = meant === null ? '' : `, such as ${meant}`;
  return refuse('VIDEO_GENERATOR_MODEL', `a model of the catalogue (npm run models)${hint}`, id);
}

function refuseRetired(row: ModelRow): never {
  const { since, successor } = lifeCycleOf(row);
  const hint = successor === null ? '' : `, such as ${successor}`;
  const expected = `a model that is not retired, as this one is since ${String(since)}${hint}`;
  return refuse('VIDEO_GENERATOR_MODEL', expected, row.id);
}

const fail = (path: string, expected: string, got: string, cause?: unknown): never => {
  const line = got.replaceAll(/\s+/g, ' ');
  throw new ConfigError(
    `MODEL_CATALOGUE: expected ${expected} in ${JSON.stringify(path)}, got: ${line}.`,
    { cause },
  );
};

function read(path: string): string {
  const file = readTextFile(path, MAX_BYTES);
  return file.ok ? file.text : fail(path, 'a file of model rows', file.problem.text);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(path, 'JSON', errorMessage(error), error);
  }
}
