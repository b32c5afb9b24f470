/**
 * `npm run fuzz -- [--minutes M] [--seed N]`: every fuzzer of test/fuzz, each for its share of the time, with seeds that follow
 * from the first (a fresh one when none is given). Each finding is printed with its seed and the smallest case that shows it.
 * Exit 0 and one line when there is none, 1 with findings, 2 for bad options.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from './say.mjs';
import { runVitest } from './vitest.mjs';

const USAGE = 'npm run fuzz -- [--minutes M] [--seed N]';
/** Run one after the other, each for its share of the time. */
const FUZZERS = 5;

export async function main(words) {
  const { minutes, seed } = read(words);
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
  const file = path.join(folder, 'findings.jsonl');
  try {
    const { code, stopped } = await runVitest(['run', 'test/fuzz', '--reporter=dot'], {
      FUZZ_SECONDS: String((minutes * 60) / FUZZERS),
      FUZZ_SEED: String(seed),
      FUZZ_FINDINGS: file,
    });
    if (stopped !== null) return stopped === 'SIGINT' ? 130 : 143;
    const lines = linesOf(file);
    const findings = lines.filter(({ says }) => says !== undefined);
    for (const { name, seed: at, says } of findings) {
      console.error(`\n${name}, seed ${at} (npm run fuzz -- --seed ${at}):\n${says}`);
    }
    if (findings.length > 0) return 1;
    if (code !== 0) return code;
    const cases = lines.map(({ name, cases }) => `${cases} of "${name}"`);
    console.log(`fuzz: nothing found from seed ${seed} in ${minutes} min: ${cases.join(', ')}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(words) {
  const { minutes = '5', seed = String(Math.trunc(Math.random() * 2 ** 31)) } = parse(words);
  return {
    minutes: number('minutes', minutes, [0.1, 1440], false),
    seed: number('seed', seed, [0, 2 ** 31 - 1], true),
  };
}

function parse(words) {
  try {
    const options = { minutes: { type: 'string' }, seed: { type: 'string' } };
    return parseArgs({ args: words, options }).values;
  } catch (error) {
    throw wrong(String(error.message).split(/\. |\n/)[0]);
  }
}

function number(name, text, [least, most], isWhole) {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value;
  throw wrong(
    `--${name}: expected a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}, got "${text}"`,
  );
}

const wrong = (what) => new SetupError(`npm run fuzz: ${what}.\nUsage: ${USAGE}`, { code: 2 });

function linesOf(file) {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}
