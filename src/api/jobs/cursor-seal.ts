/**
 * What makes a cursor one that this installation gave out: a seal (HMAC) over what it says and the namespace it was read
 * from. Temporal answers foreign page tokens with anything from a page to an internal error; none reaches it.
 *
 * S1 the key lies in DATA_DIR, made by the first process that needs it, so that every API process opens the cursors of
 *    the others. Where it can be neither read nor made, a process opens its own cursors alone.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import path from 'node:path';
import { createWhole, readWhole } from '../../adapters/storage/artifact-store.js';
import { BadCursor } from './jobs-port.js';

export interface CursorSeal {
  close(cursor: string): Promise<string>;
  /** What was closed. Rejects with BadCursor for everything else. */
  open(sealed: string): Promise<string>;
}

const KEY = /^[0-9a-f]{64}$/;
const newKey = (): string => randomBytes(32).toString('hex');

export function createCursorSeal(dataDir: string, namespace: string): CursorSeal {
  const own = newKey();
  let shared: string | null = null;
  const key = async (): Promise<string> => {
    shared ??= await sharedKey(path.join(dataDir, 'cursor.key')).catch(() => null);
    return shared ?? own; // S1
  };
  const sealOf = async (cursor: string): Promise<string> =>
    createHmac('sha256', await key())
      .update(JSON.stringify([namespace, cursor]))
      .digest('base64url');

  return {
    close: async (cursor) => `${cursor}.${await sealOf(cursor)}`,
    async open(sealed) {
      const end = sealed.lastIndexOf('.');
      const cursor = sealed.slice(0, Math.max(end, 0));
      if (isSame(sealed.slice(end + 1), await sealOf(cursor))) return cursor;
      throw new BadCursor('expected the next_cursor of a page of this list');
    },
  };
}

/** Null when the file holds something else. Of processes that make it at the same time, all read that of the first. */
async function sharedKey(file: string): Promise<string | null> {
  const key = await readWhole(file).catch(async () => {
    await createWhole(file, newKey());
    return readWhole(file);
  });
  return KEY.test(key) ? key : null;
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
