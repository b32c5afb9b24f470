/**
 * One embedded stack a data folder: its database has room for one server. The stack that runs leaves its address
 * in `DATA_DIR/stack.json`, so that commands started beside it use it or wait, instead of colliding.
 *
 * C1 of any number of claimants exactly one holds the claim.
 * C2 a claim dies with its process; nobody has to clean up after a kill.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createWhole, writeWhole } from './adapters/artifact-store.js';
import { isAlive, thisProcess } from './living.js';
import type { ProcessIdentity } from './living.js';

export interface Holder extends ProcessIdentity {
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
  const file = fileOf(dataDir);
  const mine: Holder = { ...thisProcess(), command, url: null };
  for (;;) {
    // C1
    if (await createWhole(file, JSON.stringify(mine))) {
      return { kind: 'held', claim: held(file, mine) };
    }
    const found = await read(file);
    if (found === null) continue;
    if (found.holder !== null && isAlive(found.holder)) {
      return { kind: 'taken', holder: found.holder };
    }
    await removeDead(file, found.text);
  }
}

/** Who runs a stack on this folder right now. */
export async function holderOf(dataDir: string): Promise<Holder | null> {
  const found = await read(fileOf(dataDir));
  return found?.holder != null && isAlive(found.holder) ? found.holder : null;
}

/** A claim dies with its process. */
export const isHeldBy: (holder: Holder) => boolean = isAlive;

const held = (file: string, mine: Holder): HeldClaim => ({
  async publish(url) {
    await writeWhole(file, JSON.stringify({ ...mine, url }));
  },
  async release() {
    await rm(file, { force: true });
  },
});

const besides = (file: string): string => `${file}.${randomUUID()}`;

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
