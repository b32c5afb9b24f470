/**
 * `npm run orphans -- [--cancel] [--hours N] [--json]`: predictions at the provider that no job owns, alive ones
 * first. Exit 0: there are none. 1: there are some; with --cancel: one of them could not be ended. 2: nobody can
 * tell, because the provider, Temporal or (for --cancel) a worker does not answer.
 *
 * What other programs, or other installations, have made with the same account belongs to no job here and is
 * listed too: look at the list before it is canceled.
 *
 * Without a token it asks the simulator that runs beside it.
 */
import { parseArgs } from 'node:util';
import { cancelAndConfirm } from '../activities/cancel.js';
import { createClaims } from '../adapters/claims.js';
import { createReplicate, isTerminal } from '../adapters/replicate.js';
import type { ListOutcome, ProviderPrediction, Replicate } from '../adapters/replicate.js';
import { loadConfig } from '../config.js';
import type { Config } from '../config.js';
import { rememberedSimulatorPort } from '../ports.js';
import { clock, oneLine, plural, safeJson, table, usd } from '../terminal/format.js';
import { knownJobs } from './known-jobs.js';
import { findOrphans } from './orphan-search.js';
import type { KnownJobs, Orphan } from './orphan-search.js';
import { runCommand, UserError } from './process.js';

const USAGE = 'npm run orphans -- [--cancel] [--hours N] [--json]';
const DEFAULT_HOURS = 24;

export const main = (argv: string[]): Promise<number> =>
  runCommand(async () => {
    const options = read(argv);
    const config = loadConfig();
    const { replicate, predictions, now } = await listing(config, options.hours);
    const jobs = await jobsOf(config, options.cancel);
    const claims = createClaims(config.data_dir);
    const orphans = await findOrphans({
      predictions,
      jobs,
      ownerOf: (id) => claims.owner(id),
      catalogue: config.catalogue,
      now,
    });
    const ended = options.cancel ? await endAll(replicate, orphans) : new Map<string, string>();
    if (options.json) {
      const rows = orphans.map((orphan) => ({ ...orphan, became: ended.get(orphan.id) ?? null }));
      console.log(
        safeJson(JSON.stringify({ predictions: predictions.length, orphans: rows }, null, 2)),
      );
    } else {
      console.log(textOf(orphans, ended, predictions.length, options.hours));
    }
    if (options.cancel) return [...ended.values()].every((state) => isOver(state)) ? 0 : 1;
    return orphans.length === 0 ? 0 : 1;
  });

interface Options {
  cancel: boolean;
  json: boolean;
  hours: number;
}

function read(argv: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        cancel: { type: 'boolean' },
        json: { type: 'boolean' },
        hours: { type: 'string' },
      },
    });
    const hours = values.hours === undefined ? DEFAULT_HOURS : Number(values.hours);
    if (!(hours > 0 && hours <= 24 * 30)) {
      throw new Error(
        `--hours: expected a number above 0, at most 720, got "${values.hours ?? ''}"`,
      );
    }
    return { cancel: values.cancel === true, json: values.json === true, hours };
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new UserError(`npm run orphans: ${said}\nUsage: ${USAGE}`, { cause: error });
  }
}

/** A simulator that was moved aside by a taken port has left its port in DATA_DIR. */
async function listing(
  config: Config,
  hours: number,
): Promise<{ replicate: Replicate; predictions: ProviderPrediction[]; now: number }> {
  const { base_url, simulated } = config.replicate;
  const moved = simulated ? await rememberedSimulatorPort(config.data_dir) : null;
  const urls = [base_url, ...(moved === null ? [] : [`http://127.0.0.1:${String(moved)}/v1`])];
  let said = '';
  for (const url of new Set(urls)) {
    const replicate = createReplicate({
      ...config.replicate,
      proxies: config.proxies,
      base_url: url,
    });
    const answer = await listOf(replicate, hours);
    if (answer.type === 'listed') return { replicate, ...answer };
    said = `${url}: ${answer.message}`;
  }
  const advice = simulated
    ? 'start the simulator (npm run simulator, or npm start), or set REPLICATE_API_TOKEN'
    : 'check REPLICATE_API_TOKEN and the network';
  throw new UserError(`expected the list of predictions, got ${said}; ${advice}.`);
}

/**
 * `now` is the provider's time of before the list was asked for: what is young then may be of a job that is not listed
 * yet when jobs are asked for. The first answer only tells that time, and may begin at the wrong one.
 */
async function listOf(replicate: Replicate, hours: number): Promise<ListOutcome & { now: number }> {
  await replicate.list(new Date(replicate.clock.now()));
  const now = replicate.clock.now();
  return { ...(await replicate.list(new Date(now - hours * 3_600_000))), now };
}

async function jobsOf(config: Config, cancel: boolean): Promise<KnownJobs> {
  const jobs = await knownJobs(config);
  if (jobs === null) {
    throw new UserError(
      `expected Temporal at ${config.temporal.address} to say which jobs are running, got no answer; start it, or set TEMPORAL_ADDRESS.`,
    );
  }
  if (jobs.silent.length > 0) {
    const text = `${plural(jobs.silent.length, 'running job')} did not answer (${jobs.silent.slice(0, 3).join(', ')}); start a worker: what they have not claimed looks like an orphan`;
    // Ending what a job is about to adopt would fail its clip.
    if (cancel) throw new UserError(`${text}, so nothing was canceled.`);
    console.error(oneLine(`Note: ${text}.`));
  }
  return jobs;
}

const isOver = (state: string): boolean => isTerminal(state as Parameters<typeof isTerminal>[0]);

/** What became of each that was alive, by id. */
async function endAll(
  replicate: Replicate,
  orphans: readonly Orphan[],
): Promise<Map<string, string>> {
  const became = new Map<string, string>();
  for (const { id } of orphans.filter(({ status }) => !isTerminal(status))) {
    const last = await cancelAndConfirm(replicate, id, null);
    became.set(id, last?.status ?? 'unknown');
  }
  return became;
}

const HEADINGS = ['status', 'age', 'cost', 'model', 'left by', 'url'];

function textOf(
  orphans: readonly Orphan[],
  ended: ReadonlyMap<string, string>,
  looked: number,
  hours: number,
): string {
  const scope = `${plural(looked, 'prediction')} of the last ${String(hours)} h`;
  if (orphans.length === 0) return `No orphans among ${scope}.`;
  const rows = orphans.map((orphan) => [
    oneLine(
      ended.has(orphan.id) ? `${orphan.status} → ${ended.get(orphan.id) ?? ''}` : orphan.status,
    ),
    clock(orphan.age),
    isTerminal(orphan.status) || orphan.estimated_cost_usd === null
      ? usd(orphan.estimated_cost_usd)
      : `about ${usd(orphan.estimated_cost_usd)}`,
    oneLine(orphan.model),
    oneLine(orphan.left_by ?? '–'),
    oneLine(orphan.url),
  ]);
  const alive = orphans.filter(({ status }) => !isTerminal(status)).length;
  const hint = alive > 0 && ended.size === 0 ? ' To end them: npm run orphans -- --cancel' : '';
  return [
    ...table([HEADINGS, ...rows], new Set([1, 2])),
    '',
    `${plural(orphans.length, 'orphan')} among ${scope}, ${String(alive)} alive.${hint}`,
    'What other programs made with this account is listed too.',
  ].join('\n');
}
