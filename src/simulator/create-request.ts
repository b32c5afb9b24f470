/**
 * Reads what a client wants created, out of body and headers: strictly, as Replicate does. Refusals are
 * answers; nothing is accepted here.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Catalogue, ModelRow } from '../domain/models/row.js';
import { wellFormed } from '../domain/values/well-formed.js';
import { byVersion, versionOf, type Input } from './published-models.js';
import { PROBLEMS, badRequest, invalidInput, type Answer, type InvalidField } from './refusals.js';
import { inputSchemaOf } from './published-schema.js';
import { invalidInputs, type UnknownInputs } from './validate.js';

export type Read<T> = { ok: true; value: T } | { ok: false; answer: Answer };

const refuse = (answer: Answer): { ok: false; answer: Answer } => ({ ok: false, answer });

export interface CreateBody {
  version: string | null;
  input: Input;
  webhook: string | null;
  webhook_events_filter: string[] | null;
}

const EVENTS = ['start', 'output', 'logs', 'completed'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `needsVersion`: by POST /predictions a version is required, elsewhere it is refused. */
export function readBody(body: unknown, needsVersion: boolean): Read<CreateBody> {
  if (!isObject(body)) return refuse(badRequest(400, 'Request body must be a JSON object'));
  const known = ['input', 'webhook', 'webhook_events_filter', 'stream'];
  if (needsVersion) known.push('version');
  const required = needsVersion ? ['version', 'input'] : ['input'];
  const fields: InvalidField[] = [
    ...required
      .filter((name) => body[name] === undefined)
      .map((name) => ({ type: 'required', field: '', description: `${name} is required` })),
    ...Object.keys(body)
      .filter((name) => !known.includes(name))
      .map((name) => ({
        type: 'additional_property_not_allowed',
        field: '',
        description: `Additional property ${name} is not allowed`,
      })),
    ...Object.entries(KINDS)
      .filter(([name, { fits }]) => body[name] !== undefined && !fits(body[name]))
      .map(([name, { description }]) => ({ type: 'invalid_type', field: name, description })),
  ];
  if (fields.length > 0) return refuse(invalidInput(fields));
  return {
    ok: true,
    value: {
      version: (body['version'] as string | undefined) ?? null,
      // Stored as UTF-8, where half a surrogate pair has no place.
      input: wellFormed(body['input'] as Input),
      webhook: (body['webhook'] as string | undefined) ?? null,
      webhook_events_filter: (body['webhook_events_filter'] as string[] | undefined) ?? null,
    },
  };
}

const KINDS: Record<string, { fits: (value: unknown) => boolean; description: string }> = {
  input: { fits: isObject, description: 'Invalid type. Expected: object' },
  version: {
    fits: (value) => typeof value === 'string',
    description: 'Invalid type. Expected: string',
  },
  webhook: {
    fits: (value) => typeof value === 'string' && URL.canParse(value),
    description: "Does not match format 'uri'",
  },
  webhook_events_filter: {
    fits: (value) =>
      Array.isArray(value) && value.every((event) => EVENTS.includes(event as string)),
    description: `Must be a list of: ${EVENTS.join(', ')}`,
  },
};

/** `owner/name` (official models only), `owner/name:<64 hex>` or `<64 hex>`. */
export function findVersion(catalogue: Catalogue, version: string): Read<ModelRow> {
  const { name, hash } = partsOf(version);
  if (hash !== undefined && !HASH.test(hash)) return refuse(PROBLEMS.invalid_version);
  const row =
    name === undefined ? byVersion(catalogue, hash ?? '') : catalogue.get(name.toLowerCase());
  const permitted =
    row !== undefined && (hash === undefined ? row.official : versionOf(row) === hash);
  return permitted ? { ok: true, value: row } : refuse(PROBLEMS.invalid_version);
}

const HASH = /^[0-9a-f]{64}$/;

function partsOf(version: string): { name?: string; hash?: string } {
  const colon = version.indexOf(':');
  if (colon >= 0) return { name: version.slice(0, colon), hash: version.slice(colon + 1) };
  return version.includes('/') ? { name: version } : { hash: version };
}

export function findOfficial(catalogue: Catalogue, id: string): Read<ModelRow> {
  const row = catalogue.get(id.toLowerCase());
  return row?.official === true ? { ok: true, value: row } : refuse(PROBLEMS.not_found);
}

export function checkInput(row: ModelRow, input: Input, unknown: UnknownInputs): Read<Input> {
  const fields = invalidInputs(input, inputSchemaOf(row), unknown);
  return fields.length === 0 ? { ok: true, value: input } : refuse(invalidInput(fields));
}

const DAY = 24 * 3600;

/** `90`, `30s`, `5m` or `1h30m45s`, in milliseconds: at least 5 s, at most a day. */
export function readCancelAfter(headers: IncomingHttpHeaders): Read<number | null> {
  const text = headers['cancel-after'];
  if (text === undefined) return { ok: true, value: null };
  const match = /^(?:(\d+)|(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)$/.exec(String(text).trim());
  const [, bare = 0, hours = 0, minutes = 0, rest = 0] = match ?? [];
  const seconds = Number(bare) + Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return match !== null && seconds >= 5 && seconds <= DAY
    ? { ok: true, value: seconds * 1000 }
    : refuse(badRequest(400, `Cancel-After must be from 5s to 24h, got "${String(text)}"`));
}

/** Seconds of `Prefer: wait` or `wait=n`; null: do not wait. */
export function readPreference(headers: IncomingHttpHeaders): number | null {
  const match = /^wait(?:=(\d{1,2}))?$/.exec(String(headers['prefer'] ?? ''));
  return match === null ? null : Math.min(60, Number(match[1] ?? 60));
}
