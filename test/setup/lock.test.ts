/** The lock, and set-up's use of it, with holders that are real processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { holderOf, tryLock } from '../../setup/lock.mjs';
import { lockSetup } from '../../setup/setup-lock.mjs';
import { eventually } from '../support/eventually.js';
import { ROOT, startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

let folder = '';
let file = '';
beforeEach(() => {
  const own = testFolder('lock');
  folder = own.path;
  file = path.join(folder, 'setup.lock');
  return own.remove;
});

/** A process that takes the lock, says so, and holds it until it is killed or its input ends. */
const holder = (name: string) =>
  startProcess([
    'node',
    '--input-type=module',
    '--eval',
    `import { lockSetup } from ${JSON.stringify(path.join(ROOT, 'setup/setup-lock.mjs'))};
     import { appendFileSync } from 'node:fs';
     const journal = ${JSON.stringify(path.join(folder, 'journal'))};
     const release = await lockSetup(${JSON.stringify(file)}, ${JSON.stringify(name)});
     appendFileSync(journal, 'in ');
     console.log('holds');
     const end = () => { appendFileSync(journal, 'out '); release(); process.exit(0); };
     process.on('SIGTERM', end);
     if (${JSON.stringify(name)} === 'short') setTimeout(end, 20);
     setInterval(() => undefined, 1000);`,
  ]);

describe('the set-up lock', () => {
  it('makes a second command wait, and print for which one', async () => {
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
    const release = await lockSetup(file, 'test');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    release();
    expect(holderOf(file)).toBeNull();
    expect(readdirSync(folder).sort()).toEqual(['journal', 'setup.lock']);
  });

  it('is taken over from an owner whose process id belongs to another process by now', async () => {
    const other = spawn('sleep', ['60']);
    writeFileSync(file, JSON.stringify({ pid: other.pid, started: '1', command: 'generate' }));
    (await lockSetup(file, 'test'))();
    other.kill();
    await once(other, 'exit');
  });

  it('is taken over when its file names no owner', async () => {
    writeFileSync(file, 'torn');
    (await lockSetup(file, 'test'))();
  });

  it('lets any number of commands through, one at a time', async () => {
    const all = Array.from({ length: 8 }, () => holder('short'));
    expect(await Promise.all(all.map((one) => one.exit()))).toEqual(all.map(() => 0));
    expect(readFileSync(path.join(folder, 'journal'), 'utf8')).toBe('in out '.repeat(8));
  });
});

/** How each of the three locks is taken, in a process: resolves to its release, or to null while another has it. */
const LOCKS: Readonly<Record<string, string>> = {
  'setup/lock.mjs': `
    const attempt = module.tryLock(file, () => ({}));
    return attempt.kind === 'held' ? () => attempt.lock.release() : null;`,
  'dist/src/embedded/database-lock.js': `
    try {
      const lock = await module.lockDatabase(file);
      return () => lock.release();
    } catch (error) {
      if (error.name === 'ConfigError') return null;
      throw error;
    }`,
  'dist/src/embedded/data-dir-claim.js': `
    const attempt = await module.claimDataDir(folder, 'start');
    return attempt.kind === 'held' ? () => attempt.claim.release() : null;`,
};

/**
 * Takes the lock so often, and dies of SIGKILL with the last one. While it holds the lock it has a mark in the folder, and
 * looks for the marks of others that live.
 */
const contender = (module: string, rounds: number) =>
  startProcess([
    'node',
    '--input-type=module',
    '--eval',
    `import { appendFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
     import { isRunning } from ${JSON.stringify(path.join(ROOT, 'setup/process-liveness.mjs'))};
     const module = await import(${JSON.stringify(path.join(ROOT, module))});
     const folder = ${JSON.stringify(folder)};
     const file = ${JSON.stringify(file)};
     const take = async () => {${LOCKS[module] ?? ''}};
     const mark = folder + '/mark-' + process.pid;
     const turn = () => new Promise((resolve) => setImmediate(resolve));
     writeFileSync(folder + '/ready-' + process.pid, '');
     while (!existsSync(folder + '/go')) await turn();
     for (let round = 1; round <= ${String(rounds)}; round += 1) {
       let release = null;
       while ((release = await take()) === null) await turn();
       writeFileSync(mark, '');
       const others = readdirSync(folder)
         .filter((name) => name.startsWith('mark-') && !mark.endsWith('/' + name))
         .filter((name) => isRunning(Number(name.slice('mark-'.length))));
       appendFileSync(folder + '/journal', others.length === 0 ? 'alone\\n' : 'TWO\\n');
       await turn();
       if (round === ${String(rounds)}) process.kill(process.pid, 'SIGKILL');
       rmSync(mark);
       release();
     }`,
  ]);

const journal = (): string[] =>
  existsSync(path.join(folder, 'journal'))
    ? readFileSync(path.join(folder, 'journal'), 'utf8').trim().split('\n')
    : [];

async function released(count: number): Promise<void> {
  await eventually('all contenders to wait', () => {
    const ready = readdirSync(folder).filter((name) => name.startsWith('ready-')).length;
    return Promise.resolve({ done: ready === count, value: ready });
  });
  writeFileSync(path.join(folder, 'go'), '');
}

/** A record as a killed process leaves it. */
async function dead(): Promise<{ pid: number; started: string }> {
  const gone = spawn('true');
  await once(gone, 'exit');
  return { pid: gone.pid ?? 0, started: '1' };
}

describe('a lock whose holder has died', () => {
  it.each(Object.keys(LOCKS))(
    'of %s has one holder at a time, however many processes take it over',
    async (module) => {
      const [contenders, rounds] = [6, 25];
      const stale = JSON.stringify(await dead());
      for (const name of ['setup.lock', 'setup.lock.lock', 'stack.json']) {
        writeFileSync(path.join(folder, name), stale);
      }
      const all = Array.from({ length: contenders }, () => contender(module, rounds));
      await released(contenders);
      expect(await Promise.all(all.map((one) => one.exit()))).toEqual(all.map(() => 137));
      expect(journal()).toEqual(Array.from({ length: contenders * rounds }, () => 'alone'));
    },
  );

  it('has one holder at a time when processes are killed at any moment of taking it', async () => {
    const start = () => contender('setup/lock.mjs', 1e6);
    const all = Array.from({ length: 4 }, start);
    await released(4);
    for (let kills = 0; kills < 16; kills += 1) {
      const before = journal().length;
      await eventually('the lock to change hands', () => {
        const now = journal().length;
        return Promise.resolve({ done: now > before + 5, value: now });
      });
      const target = all.shift();
      await target?.killGroup();
      all.push(start());
    }
    await Promise.all(all.map((one) => one.killGroup()));
    expect(new Set(journal())).toEqual(new Set(['alone']));
    const last = tryLock(file, () => ({}));
    expect(last.kind).toBe('held');
    // Nothing is left of the killed but what they were asked to leave.
    const rest = readdirSync(folder).filter((name) => name.startsWith('setup.lock'));
    expect(rest).toEqual(['setup.lock']);
  });

  it('is not taken by a process that found it free and slept while others took it', () => {
    let looked = 0;
    const late = tryLock(file, () => {
      if ((looked += 1) > 1) return { name: 'late' };
      // Between looking and taking: one takes it and lets go, and another has it.
      const first = tryLock(file, () => ({ name: 'first' }));
      if (first.kind === 'held') first.lock.release();
      expect(tryLock(file, () => ({ name: 'second' })).kind).toBe('held');
      return { name: 'late' };
    });
    expect(late).toMatchObject({ kind: 'taken', holder: { name: 'second' } });
    expect(readdirSync(folder)).toEqual(['setup.lock']);
  });

  it('is taken over when the holder was killed between its ticket and the file', async () => {
    const owner = await dead();
    writeFileSync(file, JSON.stringify({ ...owner, generation: 7 }));
    mkdirSync(`${file}.8`);
    writeFileSync(path.join(`${file}.8`, 'holder.json'), JSON.stringify(owner));
    const attempt = tryLock(file, () => ({}));
    expect(attempt.kind).toBe('held');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ generation: 9 });
    expect(readdirSync(folder)).toEqual(['setup.lock']);
  });

  it('is held by a live process that has its ticket and not yet the file', async () => {
    writeFileSync(file, JSON.stringify({ ...(await dead()), generation: 7 }));
    const mine = tryLock(path.join(folder, 'other'), () => ({}));
    expect(mine.kind).toBe('held');
    mkdirSync(`${file}.8`);
    cpSync(path.join(folder, 'other'), path.join(`${file}.8`, 'holder.json'));
    rmSync(path.join(folder, 'other'));
    expect(tryLock(file, () => ({}))).toMatchObject({
      kind: 'taken',
      holder: { pid: process.pid },
    });
  });

  it('passes the fields of its record to the next holder', async () => {
    writeFileSync(file, JSON.stringify({ ...(await dead()), server: 12 }));
    let server: number | undefined;
    tryLock<{ server?: number }>(file, (last) => {
      server = last?.server;
      return {};
    });
    expect(server).toBe(12);
  });
});
