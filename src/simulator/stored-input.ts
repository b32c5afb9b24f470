/** What a prediction says that it was asked, where that is not what it was asked: providers store more, elsewhere, by other names. */
import { createHash } from 'node:crypto';
import type { ModelRow } from '../domain/models/row.js';
import type { RunEffect } from './effects.js';
import type { Input } from './published-models.js';
import type { PredictionRecord } from './record.js';

type Kinds = ReadonlySet<RunEffect['kind']>;

/** Nothing where it says the truth. */
export function echoOf(row: ModelRow, input: Input, kinds: Kinds): Pick<PredictionRecord, 'echo'> {
  const defaults = kinds.has('echo_defaults') ? defaultsOf(row) : null;
  const files = kinds.has('echo_files');
  const model = kinds.has('echo_model') ? `${row.id}-renamed` : null;
  if (defaults === null && !files && model === null) return {};
  const sent = files ? rehosted(row, input) : input;
  return { echo: { input: { ...defaults, ...sent }, ...(model === null ? {} : { model }) } };
}

const defaultsOf = ({ inputs }: ModelRow): Input =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([name, field]) =>
      'default' in field && field.default !== undefined ? [[name, field.default]] : [],
    ),
  );

function rehosted({ inputs }: ModelRow, input: Input): Input {
  const isFile = (name: string): boolean => ['uri', 'uris'].includes(inputs[name]?.type ?? '');
  const moved = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(moved) : addressOf(String(value));
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, isFile(name) ? moved(value) : value]),
  );
}

const addressOf = (sent: string): string =>
  `https://replicate.delivery/pbxt/${createHash('sha256').update(sent).digest('hex').slice(0, 40)}/file`;
