/** The options of the chaos commands. */
import { parseArgs } from 'node:util';
import { UserError } from '../src/commands/process.js';

const USAGE = {
  chaos:
    'npm run chaos -- [--seed N] [--minutes M] [--jobs J] [--provider-clock SECONDS] [--json] [--quiet]',
  'chaos:hosts': 'npm run chaos:hosts -- [--seed N] [--minutes M] [--jobs J] [--json] [--quiet]',
} as const;

type CommandName = keyof typeof USAGE;

/** A command may not take all of them. */
interface Options {
  seed: number;
  minutes: number;
  jobs?: number;
  provider_clock: number;
  json: boolean;
  quiet: boolean;
}

/** Throws a UserError for the first mistake. */
export function read(command: CommandName, argv: readonly string[]): Options {
  const { seed, minutes, jobs, json, quiet, 'provider-clock': clock = '0' } = parse(command, argv);
  return {
    seed: number('seed', seed ?? '1', [0, 2 ** 32 - 1], true),
    minutes: number('minutes', minutes ?? '3', [0.1, 600], false),
    ...(jobs === undefined ? {} : { jobs: number('jobs', jobs, [1, 300], true) }),
    provider_clock: number('provider-clock', clock, [-1e6, 1e6], false),
    json: json === true,
    quiet: quiet === true,
  };
}

function parse(command: CommandName, argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: withNegatives(argv),
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string' },
        jobs: { type: 'string' },
        'provider-clock': { type: 'string' },
        json: { type: 'boolean' },
        quiet: { type: 'boolean' },
      },
    });
    if (command === 'chaos:hosts' && values['provider-clock'] !== undefined) {
      throw new Error('the clock of the provider is not set here');
    }
    return values;
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? '') : String(error);
    throw new UserError(`npm run ${command}: ${said}\nUsage: ${USAGE[command]}`, { cause: error });
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
