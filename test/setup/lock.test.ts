/** The lock of set-up, with owners that are real processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lock } from '../../setup/lock.mjs';
import { ROOT, startProcess } from '../support/processes.js';

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lock-'));
  file = path.join(folder, 'setup.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that takes the lock, says so, and holds it until it is killed or its input ends. */
const holder = (name: string) =>
  startProcess([
    'node',
    '--input-type=module',
    '--eval',
    `import { lock } from ${JSON.stringify(path.join(ROOT, 'setup/lock.mjs'))};
     import { appendFileSync } from 'node:fs';
     const journal = ${JSON.stringify(path.join(folder, 'journal'))};
     const release = await lock(${JSON.stringify(file)}, ${JSON.stringify(name)});
     appendFileSync(journal, 'in ');
     console.log('holds');
     const end = () => { appendFileSync(journal, 'out '); release(); process.exit(0); };
     process.on('SIGTERM', end);
     if (${JSON.stringify(name)} === 'short') setTimeout(end, 20);
     setInterval(() => undefined, 1000);`,
  ]);

describe('the set-up lock', () => {
  it('makes a second command wait and say for whom', async () => {
    await using first = holder('generate');
    await first.waitFor(/holds/);
    await using second = holder('test');
    await second.waitFor(
      new RegExp(`waiting for .npm run generate. \\(process ${String(first.pid)}\\)`),
    );
    expect(second.stdout).not.toContain('holds');
    first.signal('SIGTERM');
    await second.waitFor(/holds/);
  });

  it('is taken over from a process that was killed', async () => {
    await using first = holder('generate');
    await first.waitFor(/holds/);
    await first.killGroup();
    expect(existsSync(file)).toBe(true);
    const release = await lock(file, 'test');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    release();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over from an owner whose process id belongs to somebody else by now', async () => {
    const other = spawn('sleep', ['60']);
    writeFileSync(file, JSON.stringify({ pid: other.pid, started: '1', command: 'generate' }));
    (await lock(file, 'test'))();
    other.kill();
    await once(other, 'exit');
  });

  it('is taken over when what it holds is not an owner at all', async () => {
    writeFileSync(file, 'torn');
    (await lock(file, 'test'))();
  });

  it('lets any number of commands through, one at a time', async () => {
    const all = Array.from({ length: 8 }, () => holder('short'));
    expect(await Promise.all(all.map((one) => one.exit()))).toEqual(all.map(() => 0));
    expect(readFileSync(path.join(folder, 'journal'), 'utf8')).toBe('in out '.repeat(8));
  });
});
