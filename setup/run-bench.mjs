/**
 * `npm run bench`: every benchmark below bench/, one after the other in one run; `--only NAME` runs bench/NAME.bench.ts alone.
 * `--peers` runs the jobs of `speed` with other programs too, and writes the results into the documents.
 * Other arguments after `--` are vitest's own. Benchmarks that take minutes run only by name. Figures that are not operations a
 * second are written to a file by the benchmarks and printed here, as tables of ratios.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { peerPackages } from './install.mjs';
import { inRoot } from './paths.mjs';
import { SetupError } from './say.mjs';
import { runVitest } from './vitest.mjs';

/** Run only by name. */
const LONG = ['size', 'speed', 'running-cost', 'fleet'];
/** In parallel they would disturb each other's figures. */
const OPTIONS = ['bench', '--run', '--no-file-parallelism'];

export async function main(words) {
  const chosen = choose(words);
  const withPeers = words.includes('--peers');
  if (withPeers && peerPackages.needed()) await peerPackages.make();
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const file = path.join(folder, 'figures.jsonl');
  try {
    const { code, stopped } = await runVitest([...OPTIONS, ...chosen], {
      BENCH_FIGURES: file,
      ...(withPeers ? { BENCH_PEERS: '1' } : {}),
    });
    const lines = read(file);
    for (const { title, rows } of lines.filter(({ title }) => title !== undefined)) {
      console.log(`\n${title}\n`);
      print(rows);
    }
    const failed = lines.filter(({ failed }) => failed !== undefined);
    for (const { failed: name, why } of failed) console.error(`\n${name} failed: ${why}`);
    return stopped !== null ? 143 : failed.length > 0 ? 1 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files by name; other arguments are vitest's own. */
function choose(words) {
  const peersAt = words.indexOf('--peers');
  if (peersAt >= 0) return [...words.toSpliced(peersAt, 1), fileOf('speed')];
  const at = words.indexOf('--only');
  if (at < 0) return [...words, ...LONG.flatMap((name) => ['--exclude', fileOf(name)])];
  const file = fileOf(words[at + 1]);
  if (!existsSync(inRoot(file))) {
    throw new SetupError(`npm run bench: --only expects a benchmark, and there is no ${file}`, {
      code: 2,
    });
  }
  return [...words.toSpliced(at, 2), file];
}

const fileOf = (name) => `bench/${name}.bench.ts`;

function read(file) {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** As Markdown, so that it can be pasted into documents. */
function print(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at].length)));
  const line = (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`;
  const [head, ...body] = cells.map(line);
  console.log(
    [head, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body].join('\n'),
  );
}
