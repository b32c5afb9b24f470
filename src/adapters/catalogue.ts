/**
 * The catalogue a process works with: the rows it is delivered with, and those of the file MODEL_CATALOGUE, which
 * add to them or replace them by id. Reads the file once; a mistake in it is one sentence, and nothing starts.
 */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config.js';
import { CATALOGUE, type Catalogue } from '../domain/models/index.js';
import { asRow, catalogueFileSchema } from '../domain/models/row.schema.js';
import { shapeProblems } from '../domain/plan-problems.schema.js';

const MAX_BYTES = 4 * 1024 * 1024;
const NAMED_PROBLEMS = 3;

export async function loadCatalogue(path: string | null): Promise<Catalogue> {
  if (path === null) return CATALOGUE;
  const value = parse(path, await read(path));
  const parsed = catalogueFileSchema.safeParse(value);
  if (!parsed.success) {
    const problems = shapeProblems(parsed.error.issues, value, {}).map((item) =>
      item.path === '' ? item.message : `${item.path}: ${item.message}`,
    );
    const more = problems.length - NAMED_PROBLEMS;
    const rest = more > 0 ? `; and ${String(more)} more` : '';
    return fail(path, `a file of model rows`, problems.slice(0, NAMED_PROBLEMS).join('; ') + rest);
  }
  return new Map([...CATALOGUE, ...parsed.data.models.map((row) => [row.id, asRow(row)] as const)]);
}

const fail = (path: string, expected: string, got: string, cause?: unknown): never => {
  throw new ConfigError(`MODEL_CATALOGUE: expected ${expected} in "${path}", got: ${got}.`, {
    cause,
  });
};

async function read(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) =>
    fail(path, 'a readable file', error instanceof Error ? error.message : String(error), error),
  );
  return text.length <= MAX_BYTES
    ? text
    : fail(path, `at most ${String(MAX_BYTES)} characters`, String(text.length));
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(path, 'JSON', error instanceof Error ? error.message : String(error), error);
  }
}
