/**
 * `npm test` and `npm run test:fast`: vitest, then one last line with the counts. Arguments after `--` are
 * vitest's own: paths, `-t name`. Exit 1 when something failed, or when nothing ran, for that proves nothing; where
 * CI is set also when a test of the full run was skipped.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { withoutSlow } from './lanes.mjs';
import { cache, inRoot } from './paths.mjs';
import { say } from './say.mjs';
import { isCi } from './test-extras.mjs';
import { runVitest } from './vitest.mjs';

/** Every test. */
export function full(words) {
  // With words, such as `-t name`, skipping is what was asked for.
  return run(words, { maySkip: !isCi() || words.length > 0 });
}

/** Those of the fast lane. */
export const fast = (words) => run([...withoutSlow(), ...words], { maySkip: true });

async function run(words, { maySkip }) {
  const file = path.join(cache, `test-counts-${process.pid}.json`);
  mkdirSync(cache, { recursive: true });
  const { code, stopped } = await runVitest(
    ['run', '--reporter=default', `--reporter=${inRoot('setup/count-reporter.mjs')}`, ...words],
    { TEST_COUNTS_FILE: file },
  );
  const counts = read(file) ?? { passed: 0, failed: 1, skipped: 0 };
  rmSync(file, { force: true });
  const { passed, failed, skipped } = counts;
  const isWhole = maySkip || skipped === 0;
  if (!isWhole) say('CI is set, so a skipped test is a failure');
  console.log(inOneLine(counts));
  if (stopped !== null) return stopped === 'SIGINT' ? 130 : 143;
  return code === 0 && failed === 0 && passed > 0 && isWhole ? 0 : 1;
}

export const inOneLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
