/**
 * `npm run chaos -- --seed N --minutes M [--jobs J] [--provider-clock SECONDS]`: many jobs with random faults on a stack of its own, whose
 * processes are killed at random; then the provider's ledger is compared with the jobs' own. Nothing is paid.
 * With `--provider-clock` the provider's clock is ahead by so many seconds (behind, below zero) in everything it says.
 * The last line has the figures. Exit 0 when the ledgers agree, 1 with every finding listed first, 2 for bad options,
 * 130 when it was interrupted.
 *
 * The same seed gives the same jobs and faults, at the same times. How the processes interleave differs from run to run.
 */
import { lineOf } from './figures.js';
import { runChaos } from './run.js';
import { ConfigError, loadConfig } from '../src/config.js';
import { onStopSignal, runCommand } from '../src/commands/process.js';
import { read } from './options.js';

export async function main(argv: string[]): Promise<number> {
  using stop = onStopSignal();
  const code = await runCommand(async () => {
    const options = read('chaos', argv);
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
