/** One set-up at a time in a checkout. A command that has to wait prints for which other one. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { tryLock } from './lock.mjs';
import { cannotWrite, say } from './say.mjs';

/** Resolves to the function that releases it. */
export async function lockSetup(file, command) {
  attempt(file, () => mkdirSync(path.dirname(file), { recursive: true }));
  for (let announced = null; ;) {
    const taken = attempt(file, () => tryLock(file, () => ({ command })));
    if (taken.kind === 'held') return () => taken.lock.release();
    const { pid, command: other } = taken.holder;
    if (announced !== pid) {
      announced = pid;
      say(`waiting for \`npm run ${other}\` (process ${pid}), which is setting up`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function attempt(file, work) {
  try {
    return work();
  } catch (error) {
    throw cannotWrite(path.dirname(file), error);
  }
}
