/**
 * One Temporal server a database file. SQLite would let two servers open it and lose each other's writes, so a lock
 * beside the file names its owner. The lock of a dead owner is taken over, and the server it left behind waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '#setup/process-liveness.mjs';
import { tryLock } from '#setup/lock.mjs';
import { ConfigError } from '../config.js';

interface Details {
  /** Process id of the server on the file: of this owner, or of the one before until that server has gone. */
  server?: number;
}

export interface DatabaseLock {
  /** Records the server this process runs on the file. */
  serves(server: number): void;
  release(): void;
}

/** Milliseconds. The server of a killed owner is bound to it and ends within a few seconds (bound-child.ts). */
const TAKEOVER_MS = 6_000;

export async function lockDatabase(file: string): Promise<DatabaseLock> {
  let before: number | undefined;
  const attempt = attemptOn<Details>(file, (last) => {
    before = last?.server;
    return before === undefined ? {} : { server: before };
  });
  if (attempt.kind === 'taken') {
    throw new ConfigError(
      `DATA_DIR: expected a database nobody uses, got ${file}, which process ${String(attempt.holder.pid)} uses; stop that process or set DATA_DIR to another folder.`,
    );
  }
  await gone(before);
  return {
    serves: (server) => {
      attempt.lock.update({ server });
    },
    release: () => {
      attempt.lock.release();
    },
  };
}

const attemptOn: typeof tryLock = (file, details) => {
  try {
    return tryLock(`${file}.lock`, details);
  } catch (error) {
    throw new ConfigError(
      `DATA_DIR: expected a folder that can be written, got "${file}.lock" (${error instanceof Error ? error.message : String(error)}).`,
      { cause: error },
    );
  }
};

async function gone(server: number | undefined): Promise<void> {
  const until = Date.now() + TAKEOVER_MS;
  while (server !== undefined && isRunning(server) && Date.now() < until) await sleep(50);
}
