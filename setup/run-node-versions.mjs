/**
 * `npm run test:node-versions`: the fast lane of the tests on this Node and on each other version that package.json promises, one
 * after the other; with `full`, every test. The other versions are packages of the registry, installed into the cache of the
 * checkout. Each version sets up by itself, as on a machine that has only it. Ends with a row a version; exit 1 where one failed.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache, inRoot } from './paths.mjs';
import { errorLine, run, stopChildren } from './processes.mjs';
import { say, SetupError, timed } from './say.mjs';

/** Major versions; the newest release of each is what is installed. */
export const NODE_VERSIONS = [22, 24, 26];

const LANES = { fast: 'test:fast', full: 'test' };

/** Milliseconds in which tests end their servers and processes. */
const GRACE_MS = 20_000;

export async function main(words) {
  const { lane, versions } = chosen(words);
  let stopped = null;
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    process.on(signal, () => {
      stopped ??= code;
      void stopChildren(GRACE_MS);
    });
  }
  const rows = [];
  for (const major of versions) {
    const row = await rowOf(major, lane);
    if (stopped !== null) return stopped;
    rows.push(row);
  }
  console.log(tableOf(rows));
  return rows.every(({ ok }) => ok) ? 0 : 1;
}

/** `full` or `fast`, and major versions; without versions the current one and all others. */
export function chosen(words, own = Number(process.versions.node.split('.')[0])) {
  const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number);
  const [lane = 'fast', ...others] = words.filter((word) => !/^\d+$/.test(word));
  if (!Object.hasOwn(LANES, lane) || others.length > 0) {
    throw new SetupError(
      `npm run test:node-versions: expected fast or full, and major versions of Node, got "${words.join(' ')}"`,
      { code: 2 },
    );
  }
  const all = [own, ...NODE_VERSIONS.filter((major) => major !== own)];
  return { lane, versions: numbers.length > 0 ? numbers : all };
}

async function rowOf(major, lane) {
  const program =
    major === Number(process.versions.node.split('.')[0])
      ? { file: process.execPath, version: process.versions.node }
      : await installed(major);
  if (program.error !== undefined) return { ok: false, version: String(major), ...program };
  const log = path.join(cache, `node-versions/node-${major}.log`);
  const began = performance.now();
  say(`the tests run on Node ${program.version} …`);
  const { ok, text } = await run(program.file, [inRoot('setup/run.mjs'), LANES[lane]], {
    env: {
      PATH: `${path.dirname(program.file)}${path.delimiter}${process.env.PATH ?? ''}`,
      NO_COLOR: '1',
      FORCE_COLOR: '0',
    },
  });
  mkdirSync(path.dirname(log), { recursive: true });
  writeFileSync(log, text);
  if (!ok) for (const line of failuresIn(text)) say(`Node ${program.version}: ${line}`);
  const counts = /^\d+ passed, \d+ failed.*$/m.exec(text)?.[0] ?? errorLine(text).slice(0, 120);
  const seconds = Math.round((performance.now() - began) / 1000);
  return { ok, version: program.version, counts, seconds, log: path.relative(inRoot(), log) };
}

/** The program of a version; an installed one is used again as long as it runs. */
async function installed(major) {
  const folder = path.join(cache, `node-versions/${major}`);
  const file = path.join(folder, 'node_modules/node/bin/node');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    // Not a part of this checkout's own packages.
    writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
    let failure;
    await timed(`installing Node ${major} with npm`, async () => {
      const words = ['install', '--prefix', folder, '--no-audit', '--no-fund', `node@${major}`];
      const { ok, text } = await run('npm', words);
      if (!ok || !existsSync(file)) failure = errorLine(text, /npm error|not found/).slice(0, 160);
      return failure === undefined ? `Node ${major} installed` : `not installed: ${failure}`;
    });
    if (failure !== undefined) return { error: failure };
  }
  const { ok, text } = await run(file, ['--version']);
  if (!ok) return { error: `does not run here: ${errorLine(text).slice(0, 160)}` };
  return { file, version: text.trim().replace(/^v/, '') };
}

/** What vitest says of tests that failed. */
const failuresIn = (text) => [
  ...new Set(text.split('\n').filter((line) => /^\s*(?:FAIL|Error:|AssertionError:)/.test(line))),
];

export function tableOf(rows) {
  const cells = rows.map(({ ok, version, counts, seconds, log, error }) => [
    version,
    ok ? 'passes' : 'fails',
    error ?? counts,
    seconds === undefined ? '' : `${seconds} s`,
    ok ? '' : (log ?? ''),
  ]);
  const heads = ['Node', 'result', 'tests', 'time', 'output'];
  const lines = [heads, heads.map(() => '---'), ...cells];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
