/**
 * The cursors of the job list. A cursor is a position among the jobs that run, or among those that ended, which come after
 * them; it is good for the filter of its page only. It is signed (HMAC) together with the namespace it was read from, because
 * Temporal answers foreign page tokens with anything from a page to an internal error: none reaches it.
 *
 * CURSOR-1 the key lies in the store, made by the first process that needs it, so that every API process reads the cursors of
 *    the others. Where it can be neither read nor made, a process reads its own cursors only.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readText } from '../../adapters/storage/store.js';
import type { Store } from '../../adapters/storage/store.js';
import type { JobFilter } from '../../domain/job/job-summary.js';
import { isSameSecret } from '../../http/constant-time.js';
import { BadCursor } from './jobs-port.js';
import type { RunPosition } from './jobs-port.js';
import type { EndedPosition } from './stored-jobs.js';

/** After this job; null: before the first. */
export type ListPosition =
  { among: 'running'; after: RunPosition | null } | { among: 'ended'; after: EndedPosition | null };

export const START: ListPosition = { among: 'running', after: null };

export interface CursorCodec {
  encode(filter: JobFilter, position: ListPosition): Promise<string>;
  /** Rejects with BadCursor for what was not encoded here, or with another filter. */
  decode(filter: JobFilter, cursor: string): Promise<ListPosition>;
}

const KEY_OBJECT = 'cursor.key';
const KEY = /^[0-9a-f]{64}$/;
const newKey = (): string => randomBytes(32).toString('hex');

export function createCursorCodec(store: Store, namespace: string): CursorCodec {
  const own = newKey();
  let shared: string | null = null;
  const key = async (): Promise<string> => {
    shared ??= await sharedKey(store).catch(() => null);
    return shared ?? own; // CURSOR-1
  };
  const signatureOf = async (payload: string): Promise<string> =>
    createHmac('sha256', await key())
      .update(JSON.stringify([namespace, payload]))
      .digest('base64url');

  return {
    async encode(filter, position) {
      const parts = [position.among, digestOf(filter), ...partsOf(position)];
      const payload = Buffer.from(JSON.stringify(parts)).toString('base64url');
      return `${payload}.${await signatureOf(payload)}`;
    },
    async decode(filter, cursor) {
      const end = cursor.lastIndexOf('.');
      const payload = cursor.slice(0, Math.max(end, 0));
      if (!isSameSecret(cursor.slice(end + 1), await signatureOf(payload))) {
        throw new BadCursor('expected the next_cursor of a page of this list');
      }
      return positionOf(filter, payload);
    },
  };
}

/** Null when the object holds something else. Of processes that make it at the same time, all read that of the first. */
async function sharedKey(store: Store): Promise<string | null> {
  let key = await readText(store, KEY_OBJECT);
  if (key === null) {
    await store.putIfAbsent(KEY_OBJECT, newKey());
    key = await readText(store, KEY_OBJECT);
  }
  return key !== null && KEY.test(key) ? key : null;
}

/** A filter as a text of a fixed length. */
const digestOf = ({ status, model, label, q }: JobFilter): string =>
  createHash('sha256')
    .update(JSON.stringify([status, model, label, q]))
    .digest('base64url');

function partsOf({ among, after }: ListPosition): string[] {
  if (after === null) return [];
  return among === 'running'
    ? [after.started_at, after.run_id]
    : [after.completed_at, after.job_id];
}

function positionOf(filter: JobFilter, payload: string): ListPosition {
  const [among, digest, time, id] = parse(payload);
  if (digest === digestOf(filter)) {
    if (among === 'ended' && time === undefined) return { among, after: null };
    if (typeof time === 'string' && typeof id === 'string') {
      if (among === 'ended') return { among, after: { completed_at: time, job_id: id } };
      if (among === 'running') return { among, after: { started_at: time, run_id: id } };
    }
  }
  throw new BadCursor('expected the next_cursor of a page with the same filters');
}

/** Empty for what is no JSON: a release that encoded cursors in another way. */
function parse(payload: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
