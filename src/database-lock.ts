/**
 * One Temporal server a database file. SQLite would let two servers open it and lose each other's writes, so the file
 * beside it names its owner. The lock of a dead owner is taken over once the server it left behind is gone.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from './config.js';
import { isAlive, isRunning, thisProcess } from './living.js';
import type { ProcessIdentity } from './living.js';

interface Owner extends ProcessIdentity {
  server?: number;
}

export interface DatabaseLock {
  /** Records the server this process runs on the file. */
  serves(server: number): void;
  release(): void;
}

/** A tether ends the server of a killed owner within a few seconds. */
const TAKEOVER_MS = 6_000;

export async function lockDatabase(file: string): Promise<DatabaseLock> {
  const path = `${file}.lock`;
  const self: Owner = thisProcess();
  while (!create(path, self)) {
    const owner = read(path);
    if (owner !== null && isAlive(owner)) {
      throw new ConfigError(
        `DATA_DIR: expected a database nobody uses, got ${file}, which process ${String(owner.pid)} uses; stop that process or set DATA_DIR to another folder.`,
      );
    }
    await gone(owner?.server);
    rmSync(path, { force: true });
  }
  return {
    serves(server) {
      writeFileSync(`${path}.draft`, JSON.stringify({ ...self, server }));
      renameSync(`${path}.draft`, path);
    },
    release() {
      rmSync(path, { force: true });
    },
  };
}

/** Whole or not at all: a reader that met half an owner would take over from the living. */
function create(path: string, owner: Owner): boolean {
  const draft = `${path}.${String(owner.pid)}`;
  try {
    writeFileSync(draft, JSON.stringify(owner));
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw new ConfigError(
      `DATA_DIR: expected a folder that can be written, got "${path}" (${error instanceof Error ? error.message : String(error)}).`,
      { cause: error },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

function read(path: string): Owner | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return null;
  }
}

async function gone(server: number | undefined): Promise<void> {
  const until = Date.now() + TAKEOVER_MS;
  while (server !== undefined && isRunning(server) && Date.now() < until) await sleep(50);
}
