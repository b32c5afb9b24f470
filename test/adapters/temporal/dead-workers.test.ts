/** DEAD-WORKERS-1: a worker counts as dead when that is certain, and not before. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { processStat } from '../../../setup/process-liveness.mjs';
import { hasDied, workerIdentity } from '../../../src/adapters/temporal/dead-workers.js';

/** The identity of a worker in another process of this machine. */
const identityOf = (pid: number, started: string): string =>
  workerIdentity().replace(/^\d+/, String(pid)).replace(/\d*$/, started);

describe('a worker', () => {
  it('that runs has not died', () => {
    expect(workerIdentity()).toMatch(new RegExp(`^${String(process.pid)}@`));
    expect(hasDied(workerIdentity())).toBe(false);
  });

  it('has died when its process has, and not before', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = child.pid ?? 0;
    const identity = identityOf(pid, processStat(pid)?.[19] ?? '');
    expect(hasDied(identity)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(hasDied(identity)).toBe(true);
  });

  it.skipIf(processStat(process.pid) === null)(
    'has died when its id is that of a later process',
    () => {
      expect(hasDied(identityOf(process.pid, '1'))).toBe(true);
    },
  );

  it.each([
    ['of another machine', workerIdentity().replace(/@[^~]*/, '@elsewhere')],
    ['of another container', workerIdentity().replace(/~\d*~/, '~1~')],
    ['of another program', '999999999@elsewhere'],
    ['without a name', ''],
  ])('%s is left to the time-outs, whether a process here has its id or not', (_, its) => {
    expect(hasDied(its)).toBe(false);
    expect(hasDied(its.replace(/^\d+/, '999999999'))).toBe(false);
  });
});
