/**
 * `npm run orphans -- [--cancel] [--hours N] [--json]`: predictions at the provider that no job owns, running ones
 * first. Exit 0: there are none. 1: there are some; with --cancel: one of them could not be ended. 2: unknown, because the
 * provider, Temporal or (for --cancel) a worker does not answer.
 *
 * Predictions that other programs or installations have made with the same account belong to no job here and are
 * listed too: read the list before it is canceled.
 *
 * Without a token it asks the local simulator.
 */
import { parseArgs } from 'node:util';
import { cancelAndConfirm } from '../activities/cancel-prediction.js';
import { createClaims } from '../adapters/storage/claims.js';
import { openStore } from '../adapters/storage/open-store.js';
import { createReplicate, isTerminal } from '../adapters/replicate/replicate-client.js';
import type {
  ProviderPrediction,
  Replicate,
  Span,
} from '../adapters/replicate/replicate-client.js';
import { loadConfig } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { rememberedSimulatorPort } from '../http/ports.js';
import { plural, time, usd } from '../client/figures.js';
import { oneLine, safeJson, table } from '../terminal/format.js';
import { knownJobs } from './known-jobs.js';
import { pagesOf } from './list-pages.js';
import { inOrder, orphanSearch } from './orphan-search.js';
import type { KnownJobs, Orphan, OrphanSearch } from './orphan-search.js';
import { runCommand, UserError } from './process.js';

const USAGE = 'npm run orphans -- [--cancel] [--hours N] [--json]';
const DEFAULT_HOURS = 24;

export const main = (argv: string[]): Promise<number> =>
  runCommand(async () => {
    const options = read(argv);
    const config = loadConfig();
    const replicate = await reach(config);
    // Before the jobs are read: a newer prediction may be that of a job that is not listed yet.
    const now = replicate.clock.now();
    const span = { after: now - options.hours * 3_600_000, before: null };
    const claims = createClaims(await openStore(config));
    const searchAmong = async (): Promise<OrphanSearch> =>
      orphanSearch({
        jobs: await jobsOf(config, options),
        ownerOf: (id) => claims.owner(id),
        catalogue: config.catalogue,
        now,
      });
    const looked = await lookThrough(replicate, span, await searchAmong());
    // Reading a long list takes minutes: a running prediction may have become a job's meanwhile.
    const alive = looked.alive.length > 0 ? await (await searchAmong())(looked.alive) : [];
    const orphans = inOrder([...looked.over, ...alive]);
    const ended = options.cancel ? await endAll(replicate, orphans) : new Map<string, string>();
    if (options.json) {
      const rows = orphans.map((orphan) => ({ ...orphan, became: ended.get(orphan.id) ?? null }));
      console.log(safeJson(JSON.stringify({ predictions: looked.count, orphans: rows }, null, 2)));
    } else {
      console.log(textOf(orphans, ended, looked.count, options.hours));
    }
    if (!looked.isWhole) console.error('Note: the list holds something that is no prediction.');
    if (options.cancel) return [...ended.values()].every((state) => isOver(state)) ? 0 : 1;
    if (orphans.length > 0) return 1;
    return looked.isWhole ? 0 : 2;
  });

interface Looked {
  count: number;
  over: Orphan[];
  /** Orphans that still run, whole: they are judged once more. */
  alive: ProviderPrediction[];
  isWhole: boolean;
}

/** Page by page, of which only the orphans are kept. */
async function lookThrough(
  replicate: Replicate,
  span: Span,
  search: OrphanSearch,
): Promise<Looked> {
  const seen = new Set<string>();
  const looked: Looked = { count: 0, over: [], alive: [], isWhole: false };
  for await (const page of pagesOf(replicate, span, say)) {
    const fresh = page.predictions.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    for (const orphan of await search(fresh)) {
      const whole = fresh.find(({ id }) => id === orphan.id);
      if (!isTerminal(orphan.status) && whole !== undefined) looked.alive.push(whole);
      else looked.over.push(orphan);
    }
    looked.isWhole = page.isWhole;
    if (Math.floor(seen.size / 10_000) > Math.floor((seen.size - fresh.length) / 10_000)) {
      say(`${String(seen.size)} predictions read, back to ${page.back_to ?? '–'}`);
    }
  }
  return { ...looked, count: seen.size };
}

const say = (text: string): void => console.error(oneLine(`orphans: ${text}`));

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
    const [said = ''] = errorMessage(error).split('\n');
    throw new UserError(`npm run orphans: ${said}\nUsage: ${USAGE}`, { cause: error });
  }
}

/** A simulator whose port was taken has written its other port to DATA_DIR. The answer sets the provider's clock. */
async function reach(config: Config): Promise<Replicate> {
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
    const answer = await replicate.page({ after: replicate.clock.now(), before: null });
    // A provider that asks to wait is reachable.
    if (answer.type === 'page' || answer.retry_after !== undefined) return replicate;
    said = `${url}: ${answer.message}`;
  }
  const advice = simulated
    ? 'start the simulator (npm run simulator, or npm start), or set REPLICATE_API_TOKEN'
    : 'check REPLICATE_API_TOKEN and the network';
  throw new UserError(`expected the list of predictions, got ${said}; ${advice}.`);
}

/** A day more than the predictions: clocks of machines and disks may differ. */
async function jobsOf(config: Config, { cancel, hours }: Options): Promise<KnownJobs> {
  const jobs = await knownJobs(config, Date.now() - (hours + 24) * 3_600_000);
  if (jobs === null) {
    throw new UserError(
      `expected Temporal at ${config.temporal.address} to say which jobs are running, got no answer; start it, or set TEMPORAL_ADDRESS.`,
    );
  }
  if (jobs.silent.length > 0) {
    const text = `${plural(jobs.silent.length, 'running job')} did not answer (${jobs.silent.slice(0, 3).join(', ')}); start a worker: what they have not claimed looks like an orphan`;
    // A clip whose prediction is canceled before the job adopts it would fail.
    if (cancel) throw new UserError(`${text}, so nothing was canceled.`);
    console.error(oneLine(`Note: ${text}.`));
  }
  return jobs;
}

const isOver = (state: string): boolean => isTerminal(state as Parameters<typeof isTerminal>[0]);

/** The last status of each that was running, by id. */
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
    time(orphan.age),
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
