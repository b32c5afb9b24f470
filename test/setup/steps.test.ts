/** When a step of set-up thinks that it has something to do. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fingerprint } from '../../setup/build.mjs';
import { isInstalled } from '../../setup/install.mjs';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { testFolder } from '../support/test-folder.js';

let folder = '';
beforeEach(() => {
  const own = testFolder('steps');
  folder = own.path;
  return own.remove;
});

describe('building', () => {
  it('is due when a file changes, appears or is renamed, and only then', () => {
    mkdirSync(path.join(folder, 'a/b'), { recursive: true });
    writeFileSync(path.join(folder, 'a/b/one.ts'), '1');
    const place = path.join(folder, 'a');
    const seen = [fingerprint([place])];
    expect(fingerprint([place])).toBe(seen[0]);
    writeFileSync(path.join(folder, 'a/b/one.ts'), '2');
    seen.push(fingerprint([place]));
    writeFileSync(path.join(folder, 'a/two.ts'), '');
    seen.push(fingerprint([place]));
    renameSync(path.join(folder, 'a/two.ts'), path.join(folder, 'a/three.ts'));
    seen.push(fingerprint([place]));
    expect(new Set(seen).size).toBe(4);
  });

  it('takes single files as well as folders, and does not mind missing ones', () => {
    const file = path.join(folder, 'tsconfig.json');
    const before = fingerprint([file]);
    writeFileSync(file, '{}');
    expect(fingerprint([file])).not.toBe(before);
  });
});

describe('installing', () => {
  const wanted = {
    packages: {
      '': {},
      'node_modules/zod': { version: '4.6.7' },
      'node_modules/@img/sharp-darwin-arm64': { version: '1.0.0', optional: true },
    },
  };
  it.each([
    ['is not due when everything is there', { 'node_modules/zod': { version: '4.6.7' } }, true],
    ['is due when a version differs', { 'node_modules/zod': { version: '4.6.6' } }, false],
    ['is due when a package is missing', {}, false],
  ])('%s', (_promise, packages, done) => {
    expect(isInstalled(wanted, { packages })).toBe(done);
  });

  it('is due when an installation was interrupted, for npm then leaves no list', () => {
    expect(isInstalled(wanted, null)).toBe(false);
  });
});

describe('the search for a temporal program', () => {
  const program = (name: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
    return file;
  };

  it('prefers TEMPORAL_CLI to PATH', () => {
    const given = program('mine');
    program('temporal');
    expect(findTemporalCli({ TEMPORAL_CLI: given, PATH: folder })).toBe(given);
    expect(findTemporalCli({ TEMPORAL_CLI: ' ', PATH: folder })).toBe(
      path.join(folder, 'temporal'),
    );
  });

  it('skips files that cannot be run', () => {
    writeFileSync(path.join(folder, 'temporal'), '', { mode: 0o644 });
    expect(findTemporalCli({ PATH: folder })).not.toBe(path.join(folder, 'temporal'));
  });

  it('refuses a TEMPORAL_CLI that is not there, by its name', () => {
    expect(() => findTemporalCli({ TEMPORAL_CLI: '/nowhere/temporal' })).toThrow(
      /^TEMPORAL_CLI: expected .* got "\/nowhere\/temporal"/,
    );
  });
});
