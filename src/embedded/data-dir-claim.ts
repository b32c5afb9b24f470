/**
 * One embedded stack for one data folder, since its database takes one server. A running stack writes its address to
 * `DATA_DIR/stack.json`, so that other commands use it or wait for it.
 *
 * CLAIM-DIR-1 Of any number of processes that claim a folder, exactly one holds the claim.
 * CLAIM-DIR-2 A claim ends with its process; nothing has to be cleaned up after a kill.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isAlive } from '#setup/process-liveness.mjs';
import type { ProcessIdentity } from '#setup/process-liveness.mjs';
import { holderOf as lockHolder, tryLock } from '#setup/lock.mjs';

interface Details {
  command: string;
  /** Of the stack's API; null until it answers. */
  url: string | null;
}

export type Holder = ProcessIdentity & Details;

export interface HeldClaim {
  publish(url: string): Promise<void>;
  release(): Promise<void>;
}

type Claim = { kind: 'held'; claim: HeldClaim } | { kind: 'taken'; holder: Holder };

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

/** The process that runs a stack on this folder right now. */
export async function holderOf(dataDir: string): Promise<Holder | null> {
  return lockHolder(fileOf(dataDir)) as Holder | null;
}

/** CLAIM-DIR-2 */
export const isHeldBy: (holder: Holder) => boolean = isAlive;
