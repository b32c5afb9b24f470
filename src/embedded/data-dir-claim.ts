/**
 * One embedded stack a data folder: its database has room for one server. The stack that runs leaves its address
 * in `DATA_DIR/stack.json`, so that commands started beside it use it or wait, instead of colliding.
 *
 * C1 of any number of claimants exactly one holds the claim.
 * C2 a claim dies with its process; nothing has to be cleaned up after a kill.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isAlive } from '#setup/process-liveness.mjs';
import type { ProcessIdentity } from '#setup/process-liveness.mjs';
import { holderOf as lockHolder, tryLock } from '#setup/lock.mjs';

interface Details {
  command: string;
  /** Of its API; null until that answers. */
  url: string | null;
}

export type Holder = ProcessIdentity & Details;

export interface HeldClaim {
  publish(url: string): Promise<void>;
  release(): Promise<void>;
}

export type Claim = { kind: 'held'; claim: HeldClaim } | { kind: 'taken'; holder: Holder };

const fileOf = (dataDir: string): string => path.join(dataDir, 'stack.json');

export async function claimDataDir(dataDir: string, command: string): Promise<Claim> {
  await mkdir(dataDir, { recursive: true });
  const attempt = tryLock<Details>(fileOf(dataDir), () => ({ command, url: null }));
  if (attempt.kind === 'taken') return attempt;
  return {
    kind: 'held',
    claim: {
      async publish(url) {
        attempt.lock.update({ url });
      },
      async release() {
        attempt.lock.release();
      },
    },
  };
}

/** Who runs a stack on this folder right now. */
export async function holderOf(dataDir: string): Promise<Holder | null> {
  return lockHolder(fileOf(dataDir)) as Holder | null;
}

/** A claim dies with its process. */
export const isHeldBy: (holder: Holder) => boolean = isAlive;
