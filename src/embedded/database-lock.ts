/**
 * One Temporal server for one database file. SQLite would let two servers open it and lose each other's writes, so a lock
 * file next to it names its owner. The lock of a dead owner is taken over once the server that it left has ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '#setup/process-liveness.mjs';
import { tryLock } from '#setup/lock.mjs';
import { ConfigError } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';

interface Details {
  /** Process id of the server that uses the file: that of this owner, or of the owner before until it has ended. */
  server?: number;
}

export interface DatabaseLock {
  /** Records the server that this process runs on the file. */
  setServer(pid: number): void;
  release(): void;
}

/** Milliseconds. The server of a killed owner is bound to it and ends within a few seconds (bound-child.ts). */
const TAKEOVER_MS = 6_000;

export async function lockDatabase(file: string): Promise<DatabaseLock> {
  let previous: number | undefined;
  const attempt = attemptOn<Details>(file, (last) => {
    previous = last?.server;
    return previous === undefined ? {} : { server: previous };
  });
  if (attempt.kind === 'taken') {
    throw new ConfigError(
      `DATA_DIR: expected an unused database, got ${file}, which process ${String(attempt.holder.pid)} uses; stop that process or set DATA_DIR to another folder.`,
    );
  }
  await untilEnded(previous);
  return {
    setServer: (pid) => {
      attempt.lock.update({ server: pid });
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
      `DATA_DIR: expected a folder that can be written, got "${file}.lock" (${errorMessage(error)}).`,
      { cause: error },
    );
  }
};

async function untilEnded(server: number | undefined): Promise<void> {
  const until = Date.now() + TAKEOVER_MS;
  while (server !== undefined && isRunning(server) && Date.now() < until) await sleep(50);
}
