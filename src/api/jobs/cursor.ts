/**
 * What a cursor of a list says, below its seal (cursor-seal.ts): a place among the jobs that go on, or among those that ended,
 * which come after them. Good only for the filter it was made with. Pure.
 */
import { createHash } from 'node:crypto';
import type { JobFilter } from '../../domain/job/job-summary.js';
import { BadCursor } from './jobs-port.js';
import type { RunPlace } from './jobs-port.js';
import type { Ended } from './stored-jobs.js';

/** After this job; null: before the first. */
export type Place =
  { among: 'running'; after: RunPlace | null } | { among: 'ended'; after: Ended | null };

export const START: Place = { among: 'running', after: null };

/** A filter as words of a fixed length. */
const filterOf = ({ status, model, label, q }: JobFilter): string =>
  createHash('sha256')
    .update(JSON.stringify([status, model, label, q]))
    .digest('base64url');

export function encodeCursor(filter: JobFilter, place: Place): string {
  const parts = [place.among, filterOf(filter), ...partsOf(place)];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function partsOf({ among, after }: Place): string[] {
  if (after === null) return [];
  return among === 'running'
    ? [after.started_at, after.run_id]
    : [after.completed_at, after.job_id];
}

export function decodeCursor(filter: JobFilter, cursor: string): Place {
  const [among, made, time, id] = decode(cursor);
  if (made === filterOf(filter)) {
    if (among === 'ended' && time === undefined) return { among, after: null };
    if (typeof time === 'string' && typeof id === 'string') {
      if (among === 'ended') return { among, after: { completed_at: time, job_id: id } };
      if (among === 'running') return { among, after: { started_at: time, run_id: id } };
    }
  }
  throw new BadCursor('expected the next_cursor of a page with the same filters');
}

function decode(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return []; // not JSON: not ours
  }
}
