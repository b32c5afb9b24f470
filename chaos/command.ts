/**
 * `npm run chaos -- --seed N --minutes M [--jobs J] [--provider-clock SECONDS]`: many jobs with random faults on a stack of its own, whose
 * processes are killed at random; then the provider's ledger is compared with the jobs' own. Nothing is paid.
 * With `--provider-clock` the provider's clock is ahead by so many seconds (behind, below zero) in everything it says.
 * The last line has the figures. Exit 0 when the ledgers agree, 1 with every finding listed first, 2 for bad options,
 * 130 when it was interrupted.
 *
 * The same seed gives the same jobs and faults, at the same times. How the processes interleave differs from run to run.
 */
import { parseArgs } from 'node:util';
import { lineOf } from './figures.js';
import { runChaos } from './run.js';
import { ConfigError, loadConfig } from '../src/config.js';
import { onStopSignal, runCommand, UserError } from '../src/commands/process.js';

const USAGE =
  'npm run chaos -- [--seed N] [--minutes M] [--jobs J] [--provider-clock SECONDS] [--json] [--quiet]';

export async function main(argv: string[]): Promise<number> {
  using stop = onStopSignal();
  const code = await runCommand(async () => {
    const options = read(argv);
    const { cli } = loadConfig().temporal;
    if (cli === null) {
      throw new ConfigError(
        'TEMPORAL_CLI: expected the path of a `temporal` program, got nothing; start through npm.',
      );
    }
    const log = options.quiet ? () => undefined : (line: string) => console.error(line);
    const { figures, findings } = await runChaos({ ...options, cli, log, signal: stop.signal });
    for (const { kind, message } of findings) console.error(`${kind}: ${message}`);
    console.log(options.json ? JSON.stringify({ ...figures, findings }) : lineOf(figures));
    return findings.length === 0 ? 0 : 1;
  }, stop.signal);
  // An interrupted run proves nothing.
  return stop.signal.aborted ? 130 : code;
}

interface Options {
  seed: number;
  minutes: number;
  jobs?: number;
  provider_clock: number;
  json: boolean;
  quiet: boolean;
}

function read(argv: readonly string[]): Options {
  const { seed, minutes, jobs, json, quiet, 'provider-clock': clock = '0' } = parse(argv);
  return {
    seed: number('seed', seed ?? '1', [0, 2 ** 32 - 1], true),
    minutes: number('minutes', minutes ?? '3', [0.1, 600], false),
    ...(jobs === undefined ? {} : { jobs: number('jobs', jobs, [1, 300], true) }),
    provider_clock: number('provider-clock', clock, [-1e6, 1e6], false),
    json: json === true,
    quiet: quiet === true,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: withNegatives(argv),
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string' },
        jobs: { type: 'string' },
        'provider-clock': { type: 'string' },
        json: { type: 'boolean' },
        quiet: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? '') : String(error);
    throw new UserError(`npm run chaos: ${said}\nUsage: ${USAGE}`, { cause: error });
  }
}

/** `--option -5` as `--option=-5`: alone, a number below zero looks like an option. */
const withNegatives = (argv: readonly string[]): string[] =>
  argv.reduce<string[]>((words, word) => {
    const before = words.at(-1);
    if (before?.startsWith('--') !== true || !/^-\d/.test(word)) return [...words, word];
    return [...words.slice(0, -1), `${before}=${word}`];
  }, []);

function number(
  name: string,
  text: string,
  [least, most]: readonly [number, number],
  whole: boolean,
): number {
  const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new UserError(
    `--${name}: expected a ${whole ? 'whole number' : 'number'} from ${String(least)} to ${String(most)}, got "${text}"`,
  );
}
