/**
 * `npm run chaos:hosts -- --seed N --minutes M [--jobs J]`: chaos over two hosts that share nothing but Temporal, on PostgreSQL, and
 * a bucket. Hosts are network namespaces on this machine, so it needs root, iproute2, iptables and PostgreSQL; nothing is paid.
 * The last line has the figures. Exit 0 when the ledgers agree, 1 with every finding listed first, 2 for bad options or
 * a machine where it cannot run, 130 when it was interrupted.
 */
import { ConfigError, loadConfig } from '../../src/config.js';
import { onStopSignal, runCommand } from '../../src/commands/process.js';
import { read } from '../options.js';
import { hostLineOf } from './host-figures.js';
import { runHosts } from './run.js';

export async function main(argv: string[]): Promise<number> {
  using stop = onStopSignal();
  const code = await runCommand(async () => {
    const { json, quiet, seed, minutes, jobs } = read('chaos:hosts', argv);
    const { cli } = loadConfig().temporal;
    if (cli === null) {
      throw new ConfigError(
        'TEMPORAL_CLI: expected the path of a `temporal` program, got nothing; start through npm.',
      );
    }
    const log = quiet ? () => undefined : (line: string) => console.error(line);
    const wanted = { seed, minutes, ...(jobs === undefined ? {} : { jobs }) };
    const { figures, findings } = await runHosts({ ...wanted, cli, log, signal: stop.signal });
    for (const { kind, message } of findings) console.error(`${kind}: ${message}`);
    console.log(json ? JSON.stringify({ ...figures, findings }) : hostLineOf(figures));
    return findings.length === 0 ? 0 : 1;
  }, stop.signal);
  return stop.signal.aborted ? 130 : code;
}
