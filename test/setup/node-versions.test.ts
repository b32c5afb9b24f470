/** Which versions of Node are promised, and that package.json, set-up and the packages themselves agree. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { NODE_RANGE, OLDEST_NEXT, OLDEST_NODE, runsOn } from '../../setup/node-range.mjs';
import { chosen, NODE_VERSIONS, tableOf } from '../../setup/run-node-versions.mjs';
import { SetupError } from '../../setup/say.mjs';
import { ROOT } from '../support/processes.js';

interface Package {
  dev?: boolean;
  optional?: boolean;
  engines?: { node?: string };
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
const { packages } = readJson('package-lock.json') as { packages: Record<string, Package> };

const numbers = (version: string): number[] =>
  version
    .split('.')
    .filter((part) => /^\d+$/.test(part))
    .map(Number);

/** Is one version before another? Parts that a range leaves out count as 0. */
function isBefore(version: readonly number[], other: readonly number[]): boolean {
  for (const at of [0, 1, 2]) {
    const difference = (version[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** The few forms of npm's ranges that packages use for Node. */
function accepts(range: string, version: readonly number[]): boolean {
  return range.split('||').some((words) =>
    words
      .trim()
      .replaceAll(/([<>=^]) +/g, '$1')
      .split(/\s+/)
      .every((word) => {
        const [, operator = '', text = ''] = /^(>=|\^|)([\d.*x]+)$/.exec(word) ?? [];
        if (text === '') throw new Error(`expected a range of npm, got "${range}"`);
        const than = numbers(text);
        if (than.length === 0) return true;
        if (operator === '>=') return !isBefore(version, than);
        return version[0] === than[0] && !isBefore(version, than);
      }),
  );
}

describe('the versions of Node', () => {
  it('are the same in package.json, its lock file and set-up', () => {
    const { engines } = readJson('package.json') as { engines: { node: string } };
    expect(engines.node).toBe(NODE_RANGE);
    expect(packages['']?.engines?.node).toBe(NODE_RANGE);
  });

  it.each([
    ['20.19.0', true],
    ['20.20.2', true],
    ['20.18.3', false],
    ['18.20.0', false],
    ['21.7.3', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['23.0.0', true],
    ['24.0.0', true],
    ['26.10.0', true],
  ])('hold for %s: %s', (version, promised) => {
    expect(runsOn(version)).toBe(promised);
    expect(accepts(NODE_RANGE, numbers(version))).toBe(promised);
  });

  it('are those that packages of the product ask for, but for two that run on 20 all the same', () => {
    const wanted = Object.entries(packages).filter(
      ([place, { dev, optional }]) => place !== '' && dev !== true && optional !== true,
    );
    const refusing = (version: readonly number[]): string[] =>
      wanted
        .filter(([, { engines }]) => engines?.node && !accepts(engines.node, version))
        .map(([place]) => place.replace('node_modules/', ''));
    for (const major of NODE_VERSIONS)
      expect(refusing(major === 22 ? OLDEST_NEXT : [major, 0, 0])).toEqual([]);
    // The tests pass on Node 20: what npm prints of these two there is a warning.
    expect(refusing(OLDEST_NODE)).toEqual(['content-disposition', 'cookie']);
  });
});

describe('npm run test:node-versions', () => {
  it('runs the fast lane on this version and each other one, unless told otherwise', () => {
    expect(chosen([], 20)).toEqual({ lane: 'fast', versions: [20, 22, 24, 26] });
    expect(chosen(['full'], 24)).toEqual({ lane: 'full', versions: [24, 22, 26] });
    expect(chosen(['26'], 20)).toEqual({ lane: 'fast', versions: [26] });
    expect(() => chosen(['slow'])).toThrow(SetupError);
  });

  it('ends with a row a version, which names the output of one that fails', () => {
    const table = tableOf([
      { ok: true, version: '24.21.0', counts: '9 passed, 0 failed', seconds: 7, log: 'a.log' },
      { ok: false, version: '26.10.0', counts: '8 passed, 1 failed', seconds: 8, log: 'b.log' },
      { ok: false, version: '22', error: 'not to be had' },
    ]);
    expect(table.split('\n').slice(2)).toEqual([
      '| 24.21.0 | passes | 9 passed, 0 failed | 7 s |  |',
      '| 26.10.0 | fails | 8 passed, 1 failed | 8 s | b.log |',
      '| 22 | fails | not to be had |  |  |',
    ]);
  });
});
