/**
 * What a cursor of a list says, below its seal (cursor-seal.ts): Temporal's page token, or a place among the stored jobs that
 * come after Temporal's. Good only for the filter it was made with. Pure.
 */
import type { JobStatus } from '../domain/job.js';
import { BadCursor } from './jobs-port.js';

/** After this job in the order of stored jobs. */
export type StoredPlace = 'start' | { created_at: string; job_id: string };

const encode = (parts: readonly unknown[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

function decode(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return []; // not JSON: not ours
  }
}

const bad = () => new BadCursor('expected the next_cursor of a page with the same status');

export const encodeCursor = (status: JobStatus | null, token: Uint8Array): string =>
  encode([status, Buffer.from(token).toString('base64')]);

export function decodeCursor(status: JobStatus | null, cursor: string): Uint8Array {
  const [filter, token] = decode(cursor);
  if (filter === status && typeof token === 'string') return Buffer.from(token, 'base64');
  throw bad();
}

const STORED = 'stored';

export const encodeStoredCursor = (status: JobStatus | null, place: StoredPlace): string =>
  encode(place === 'start' ? [STORED, status] : [STORED, status, place.created_at, place.job_id]);

/** Null when the cursor is not one of these. */
export function decodeStoredCursor(status: JobStatus | null, cursor: string): StoredPlace | null {
  const [kind, filter, created_at, job_id] = decode(cursor);
  if (kind !== STORED) return null;
  if (filter !== status) throw bad();
  if (created_at === undefined) return 'start';
  if (typeof created_at === 'string' && typeof job_id === 'string') return { created_at, job_id };
  throw bad();
}
