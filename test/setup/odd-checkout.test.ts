/** Where a checkout lies is the affair of the person who made it: any name of a folder will do, and one that cannot be written. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SetupError } from '../../setup/say.mjs';
import { lockSetup } from '../../setup/setup-lock.mjs';
import { ROOT, startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

let folder = '';
beforeEach(() => {
  // On the disk of node_modules, so that those can be linked.
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  const own = testFolder('odd', path.join(ROOT, '.cache'));
  folder = own.path;
  return own.remove;
});

describe('the workflow bundle', () => {
  it.each(['with a space, ä and %41', 'a!b', 'a!b?c#d%41 [e]{f}*'])(
    'is made in a checkout named %s',
    async (name) => {
      const checkout = path.join(folder, name);
      mkdirSync(path.join(checkout, 'dist'), { recursive: true });
      for (const part of [
        'setup',
        'package.json',
        'dist/src/workflows',
        'dist/src/domain',
        'dist/src/contract',
      ]) {
        cpSync(path.join(ROOT, part), path.join(checkout, part), { recursive: true });
      }
      // Linked, not a link: a link would lead webpack back to a path without the characters.
      execFileSync('cp', ['-al', path.join(ROOT, 'node_modules'), checkout]);
      await using bundling = startProcess(['node', 'setup/bundle-workflows.mjs'], {
        cwd: checkout,
      });
      expect(await bundling.exit(), bundling.output).toBe(0);
      const bundle = path.join(checkout, 'dist/workflow-bundle.js');
      expect(existsSync(bundle)).toBe(true);
      expect(readFileSync(bundle, 'utf8')).toContain('generateClipsWorkflow');
    },
  );
});

describe('set-up in a checkout that cannot be written', () => {
  it('is refused with what to do', async () => {
    writeFileSync(path.join(folder, '.cache'), 'in the way');
    const locking = lockSetup(path.join(folder, '.cache', 'setup.lock'), 'generate');
    await expect(locking).rejects.toBeInstanceOf(SetupError);
    await expect(lockSetup(path.join(folder, '.cache', 'setup.lock'), 'generate')).rejects.toThrow(
      /^set-up has to write to ".*", which cannot be written \(.*\); /,
    );
  });
});
