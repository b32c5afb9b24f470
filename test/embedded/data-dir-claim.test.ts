import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { claimDataDir, holderOf } from '../../src/embedded/data-dir-claim.js';
import { eventually } from '../support/eventually.js';
import { startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

let folder: string;
beforeEach(() => {
  const own = testFolder('claim');
  folder = own.path;
  return own.remove;
});

const file = (): string => path.join(folder, 'stack.json');

describe('the claim on a data folder', () => {
  it('goes to exactly one of many, and to the next when it is released', async () => {
    const claims = await Promise.all(
      Array.from({ length: 20 }, () => claimDataDir(folder, 'generate')),
    );
    const held = claims.flatMap((claim) => (claim.kind === 'held' ? [claim.claim] : []));
    expect(held).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['stack.json']);
    await held[0]?.release();
    expect((await claimDataDir(folder, 'start')).kind).toBe('held');
  });

  it('names its holder, and the URL of that stack', async () => {
    const first = await claimDataDir(folder, 'generate');
    if (first.kind !== 'held') throw new Error('expected the claim');
    await first.claim.publish('http://127.0.0.1:1');
    const second = await claimDataDir(folder, 'start');
    expect(second).toMatchObject({
      kind: 'taken',
      holder: { pid: process.pid, command: 'generate', url: 'http://127.0.0.1:1' },
    });
    expect(await holderOf(folder)).toMatchObject({ pid: process.pid });
  });

  it('ends with its process, however that ends', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const claim = { pid: child.pid, started: null, command: 'start', url: null };
    await writeFile(file(), JSON.stringify(claim));
    expect((await claimDataDir(folder, 'generate')).kind).toBe('taken');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await holderOf(folder)).toBeNull();
    const claims = await Promise.all(
      Array.from({ length: 10 }, () => claimDataDir(folder, 'generate')),
    );
    expect(claims.filter(({ kind }) => kind === 'held')).toHaveLength(1);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it.runIf(process.platform === 'linux')(
    'is not held by another process that was given the same id later',
    async () => {
      const claim = { pid: process.pid, started: '1', command: 'start', url: null };
      await writeFile(file(), JSON.stringify(claim));
      expect((await claimDataDir(folder, 'generate')).kind).toBe('held');
    },
  );

  it.runIf(process.platform === 'linux')(
    'is not held by a killed process whose parent has not waited for it yet',
    async () => {
      // A shell that turns into a program which never waits for the child the shell had.
      await using parent = startProcess(['sh', '-c', 'sleep 600 & echo child $!; exec sleep 600']);
      const pid = Number((await parent.waitFor(/child (\d+)/))[1]);
      await eventually('the shell to have turned', () => {
        const name = readFileSync(`/proc/${String(parent.pid)}/comm`, 'utf8').trim();
        return Promise.resolve({ done: name === 'sleep', value: name });
      });
      const claim = { pid, started: null, command: 'start', url: null };
      await writeFile(file(), JSON.stringify(claim));
      expect((await claimDataDir(folder, 'generate')).kind).toBe('taken');
      process.kill(pid, 'SIGKILL');
      await eventually('the claim to be free', async () => {
        const holder = await holderOf(folder);
        return { done: holder === null, value: holder };
      });
      expect((await claimDataDir(folder, 'generate')).kind).toBe('held');
    },
  );

  it('is not held by a damaged file', async () => {
    await writeFile(file(), '{"pid": ');
    expect((await claimDataDir(folder, 'generate')).kind).toBe('held');
  });
});
