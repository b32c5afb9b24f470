/**
 * One embedded stack a data folder: its database has room for one server. The stack that runs leaves its address
 * in `DATA_DIR/stack.json`, so that commands started beside it use it or wait, instead of colliding.
 *
 * C1 of any number of claimants exactly one holds the claim.
 * C2 a claim dies with its process; nobody has to clean up after a kill.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface Holder {
  pid: number;
  /** Tells a process from a later one with the same id; null where the system does not say. */
  started: string | null;
  command: string;
  /** Of its API; null until that answers. */
  url: string | null;
}

export interface HeldClaim {
  publish(url: string): Promise<void>;
  release(): Promise<void>;
}

export type Claim = { kind: 'held'; claim: HeldClaim } | { kind: 'taken'; holder: Holder };

const fileOf = (dataDir: string): string => path.join(dataDir, 'stack.json');

export async function claimDataDir(dataDir: string, command: string): Promise<Claim> {
  await mkdir(dataDir, { recursive: true });
  const file = fileOf(dataDir);
  const mine: Holder = {
    pid: process.pid,
    started: await startOf(process.pid),
    command,
    url: null,
  };
  for (;;) {
    if (await createWith(file, mine)) return { kind: 'held', claim: held(file, mine) };
    const found = await read(file);
    if (found === null) continue;
    if (found.holder !== null && (await isAlive(found.holder))) {
      return { kind: 'taken', holder: found.holder };
    }
    await removeDead(file, found.text);
  }
}

/** Who runs a stack on this folder right now. */
export async function holderOf(dataDir: string): Promise<Holder | null> {
  const found = await read(fileOf(dataDir));
  return found?.holder != null && (await isAlive(found.holder)) ? found.holder : null;
}

export async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.started === null || holder.started === (await startOf(holder.pid));
}

const held = (file: string, mine: Holder): HeldClaim => ({
  async publish(url) {
    await replace(file, { ...mine, url });
  },
  async release() {
    await rm(file, { force: true });
  },
});

const besides = (file: string): string => `${file}.${randomUUID()}`;

/** Linking a finished file makes it appear whole, or not at all when the name is taken. */
async function createWith(file: string, holder: Holder): Promise<boolean> {
  const finished = besides(file);
  await writeFile(finished, JSON.stringify(holder));
  try {
    await link(finished, file);
    return true; // C1
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(finished, { force: true });
  }
}

async function replace(file: string, holder: Holder): Promise<void> {
  const finished = besides(file);
  await writeFile(finished, JSON.stringify(holder));
  await rename(finished, file);
}

async function read(file: string): Promise<{ text: string; holder: Holder | null } | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const holder = JSON.parse(text) as Holder;
    return { text, holder: Number.isInteger(holder.pid) ? holder : null };
  } catch {
    return { text, holder: null };
  }
}

/** Another claimant may have removed the dead claim and made its own meanwhile: that one is put back. */
async function removeDead(file: string, dead: string): Promise<void> {
  const aside = besides(file);
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) !== dead) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Linux: the 22nd field of /proc/<pid>/stat; the command name before it may hold spaces. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => null);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
