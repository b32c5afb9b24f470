/**
 * `npm test`: vitest, then one line with the counts as the very last. Words after `--` are vitest's own:
 * paths, `-t name`. Exit 1 when something failed, or when nothing ran, for that proves nothing.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cache, inRoot } from './paths.mjs';
import { runVitest } from './vitest.mjs';

export async function main(words) {
  const file = path.join(cache, `test-counts-${process.pid}.json`);
  mkdirSync(cache, { recursive: true });
  const { code, stopped } = await runVitest(
    ['run', '--reporter=default', `--reporter=${inRoot('setup/count-reporter.mjs')}`, ...words],
    { TEST_COUNTS_FILE: file },
  );
  const counts = read(file) ?? { passed: 0, failed: 1, skipped: 0 };
  rmSync(file, { force: true });
  console.log(inOneLine(counts));
  if (stopped !== null) return stopped === 'SIGINT' ? 130 : 143;
  return code === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
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
