/** The cursor of a list: opaque to its holder, Temporal's page token within. Pure. */
import type { JobStatus } from '../domain/job.js';
import { BadCursor } from './jobs-port.js';

/** Opaque, and good only for the filter it was made with. */
export const encodeCursor = (status: JobStatus | null, token: Uint8Array): string =>
  Buffer.from(JSON.stringify([status, Buffer.from(token).toString('base64')])).toString(
    'base64url',
  );

export function decodeCursor(status: JobStatus | null, cursor: string): Uint8Array {
  try {
    const [filter, token] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (filter === status && typeof token === 'string') return Buffer.from(token, 'base64');
  } catch {
    // not JSON: not ours
  }
  throw new BadCursor('expected the next_cursor of a page with the same status');
}
