/** Pages of the listing: newest first, behind opaque cursors that stay true while new predictions arrive. */
import type { Core } from './core.js';
import type { Read } from './create-request.js';
import { badRequest } from './refusals.js';
import type { ListFilter } from './prediction-store.js';
import type { PredictionRecord } from './record.js';
import type { Settings } from './runtime-settings.js';

/** `older`: what was created before the record with this number; `newer`: after it. */
type Cursor = { direction: 'older' | 'newer'; seq: number } | null;

interface ListQuery extends ListFilter {
  /** Predictions made on the web site, of which there are none here. */
  only_web: boolean;
  cursor: Cursor;
}

interface Page {
  records: PredictionRecord[];
  previous: string | null;
  next: string | null;
}

/** Moments are asked for by the provider's clock, which is ahead of this machine's by `clock_offset_ms`. */
export function readListQuery(
  query: Record<string, unknown>,
  { clock_offset_ms: ahead }: Pick<Settings, 'clock_offset_ms'>,
): Read<ListQuery> {
  const after = momentOf(query['created_after'], -Infinity, ahead);
  const before = momentOf(query['created_before'], Infinity, ahead);
  const cursor = readCursor(query['cursor']);
  const wrong = [
    after === undefined ? 'created_after must be an ISO 8601 date-time' : null,
    before === undefined ? 'created_before must be an ISO 8601 date-time' : null,
    cursor === undefined ? 'Invalid cursor' : null,
    [undefined, 'web'].includes(query['source'] as string | undefined)
      ? null
      : 'source must be "web"',
  ].filter((message) => message !== null);
  if (after === undefined || before === undefined || cursor === undefined || wrong.length > 0) {
    return { ok: false, answer: badRequest(400, wrong.join('\n')) };
  }
  const onlyWeb = query['source'] === 'web';
  return {
    ok: true,
    value: { created_after: after, created_before: before, only_web: onlyWeb, cursor },
  };
}

export function pageOf(core: Core, query: ListQuery): Page {
  const { cursor } = query;
  const all = query.only_web ? [] : core.predictions.list(query, core.now());
  const size = core.settings.list_page_size;
  const start = startOf(all, cursor, size);
  const records = all.slice(start, start + size);
  const [first, last] = [records[0], records.at(-1)];
  return {
    records,
    previous: start > 0 && first !== undefined ? write('newer', first.seq) : null,
    next: start + size < all.length && last !== undefined ? write('older', last.seq) : null,
  };
}

function startOf(all: readonly PredictionRecord[], cursor: Cursor, size: number): number {
  if (cursor === null) return 0;
  if (cursor.direction === 'older') {
    const found = all.findIndex(({ seq }) => seq < cursor.seq);
    return found === -1 ? all.length : found;
  }
  const newer = all.filter(({ seq }) => seq > cursor.seq).length;
  return Math.max(0, newer - size);
}

const write = (direction: 'older' | 'newer', seq: number): string =>
  Buffer.from(`${direction}:${String(seq)}`).toString('base64url');

function readCursor(text: unknown): Cursor | undefined {
  if (text === undefined) return null;
  const match = /^(older|newer):(\d+)$/.exec(
    Buffer.from(typeof text === 'string' ? text : '', 'base64url').toString(),
  );
  if (match === null) return undefined;
  return { direction: match[1] === 'older' ? 'older' : 'newer', seq: Number(match[2]) };
}

function momentOf(text: unknown, absent: number, ahead: number): number | undefined {
  if (text === undefined) return absent;
  const moment = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(moment) ? undefined : moment - ahead;
}
