/**
 * `npm run models`: the catalogue as a table, or as JSON. With a token, each row is compared with what the provider
 * publishes; exit 1 when a row would cost more than it says, or its requests would be refused, so that a scheduled run can
 * tell.
 *
 * `--for plan.json`: instead, what the plan costs and takes on every model that can make it. Asks no server.
 *
 * `--measured`: instead, the lengths that models delivered compared with those requested, from the finished jobs in DATA_DIR. Asks
 * no server. A file that cannot be read, or is no finished job of that folder, is skipped.
 */
import { outboundFetch } from '../adapters/network/outbound.js';
import { openStore } from '../adapters/storage/open-store.js';
import { scratchFolder } from '../adapters/storage/scratch-files.js';
import { createStoredFolders } from '../adapters/storage/stored-folders.js';
import type { Store } from '../adapters/storage/store.js';
import { createArchive } from '../api/jobs/job-archive.js';
import type { Archive } from '../api/jobs/job-archive.js';
import { boundedJson, boundedText } from '../http/bounded-text.js';
import { loadConfig, REPLICATE_URL } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { checkShape } from '../domain/plan/check-plan.schema.js';
import { everyComparison, ranked } from '../domain/pricing/compare-models.js';
import { isRetired, lifeCycleOf, modelUnavailable } from '../domain/models/life-cycle.js';
import type { ModelRow } from '../domain/models/row.js';
import { parseModels } from '../terminal/arguments.js';
import { plural } from '../client/figures.js';
import { oneLine, safeJson } from '../terminal/format.js';
import { ageFindings, differences } from './catalogue-check/schema-differences.js';
import type { Finding } from './catalogue-check/schema-differences.js';
import { deliveriesOf, measure, measuredTable } from './catalogue-check/measured-lengths.js';
import type { Delivery } from './catalogue-check/measured-lengths.js';
import { priceDifferences, tiersOf } from './catalogue-check/published-prices.js';
import type { Tier } from './catalogue-check/published-prices.js';
import { comparisonTable, modelTable } from '../terminal/model-table.js';
import { readPlanFile } from './plan-file.js';
import { runCommand, UserError } from './process.js';

const DEADLINE = 20_000;

export function main(argv: string[]): Promise<number> {
  return runCommand(async () => {
    const parsed = parseModels(argv);
    if (!parsed.ok) {
      console.error(`npm run models: ${parsed.message}`);
      return 2;
    }
    const config = loadConfig();
    if (parsed.plan !== null) return await compareFor(config, parsed.plan, parsed.on.has('json'));
    const rows = [...config.catalogue.values()];
    if (parsed.on.has('measured')) {
      console.log(await measuredText(config, rows, parsed.on.has('json')));
      return 0;
    }
    console.log(
      parsed.on.has('json')
        ? JSON.stringify({ models: rows.map(withLifeCycle) }, null, 2)
        : modelTable(rows).join('\n'),
    );
    if (config.replicate.simulated) {
      if (!parsed.on.has('json')) {
        console.log('\nNot compared with the provider: REPLICATE_API_TOKEN is not set.');
      }
      return 0;
    }
    return (await compareAll(config, rows)) ? 0 : 1;
  });
}

const withLifeCycle = (row: ModelRow): ModelRow => ({ ...row, life_cycle: lifeCycleOf(row) });

async function compareFor(config: Config, file: string, asJson: boolean): Promise<number> {
  const read = await readPlanFile(file);
  if (!read.ok) throw new UserError(read.message);
  const checked = checkShape(read.value);
  if (!checked.ok) {
    console.error(`${file} has ${plural(checked.problems.length, 'mistake')}:`);
    for (const { path: place, message } of checked.problems) {
      console.error(`  ${place === '' ? '' : `${place}: `}${oneLine(message)}`);
    }
    return 2;
  }
  const { catalogue, default_model, duration_buffer } = config;
  const { plan } = checked;
  const models = ranked([...everyComparison(plan, { catalogue, default_model, duration_buffer })]);
  console.log(
    asJson
      ? safeJson(JSON.stringify({ models }, null, 2))
      : comparisonTable(models, catalogue, plan.model ?? default_model).join('\n'),
  );
  return 0;
}

async function measuredText(
  config: Config,
  rows: readonly ModelRow[],
  asJson: boolean,
): Promise<string> {
  const store = await openStore(config);
  const archive = createArchive(store, scratchFolder(config.data_dir));
  const models = measure(await storedDeliveries(store, archive), rows);
  if (asJson) return safeJson(JSON.stringify({ models }, null, 2));
  if (models.length === 0) {
    return `Nothing is measured yet: no finished job in ${store.location} has a clip with a file.`;
  }
  return measuredTable(models).join('\n');
}

/** Job by job, so that only their deliveries are in memory together. */
async function storedDeliveries(store: Store, archive: Archive): Promise<Delivery[]> {
  const names = await createStoredFolders(store).names();
  const found: Delivery[] = [];
  for (const name of names.sort()) {
    const jobId = jobIdOf(name);
    const job = jobId === null ? null : await archive.job(jobId);
    if (job !== null) found.push(...deliveriesOf(job));
  }
  return found;
}

/** Ids that are no safe file names are encoded, after a tilde. Null: not the folder of a job. */
function jobIdOf(name: string): string | null {
  try {
    return name.startsWith('~') ? decodeURIComponent(name.slice(1)) : name;
  } catch {
    return null;
  }
}

/** Findings go to stderr, so that stdout stays JSON with --json. One request at a time. */
async function compareAll(config: Config, rows: readonly ModelRow[]): Promise<boolean> {
  console.error(`\nComparing with ${config.replicate.base_url}`);
  let good = true;
  for (const row of rows) {
    const found = await compare(config, row).catch((error: unknown): Finding[] => [
      { weight: 'breaks', says: `could not be compared: ${errorMessage(error)}` },
    ]);
    if (found.length === 0) console.error(`${row.id}: the same`);
    for (const { weight, says } of found) {
      console.error(`${row.id}: ${WEIGHTS[weight]}${oneLine(says)}`);
    }
    good &&= found.every(({ weight }) => weight === 'notice');
  }
  return good;
}

const WEIGHTS: Record<Finding['weight'], string> = {
  costs: 'COSTS MORE: ',
  breaks: 'BREAKS: ',
  notice: '',
};

/** Retired rows are skipped: that the provider no longer has them is known. */
async function compare(config: Config, row: ModelRow): Promise<Finding[]> {
  if (isRetired(row)) return [];
  const { base_url, token } = config.replicate;
  const answer = await ask(config, `${base_url}/models/${row.id}`, {
    authorization: `Bearer ${token}`,
  });
  if (answer.status === 404 || answer.status === 410) {
    const gone = modelUnavailable(row.id, config.catalogue, `HTTP ${String(answer.status)}`);
    return [{ weight: 'breaks', says: gone }];
  }
  if (!answer.ok) throw new Error(`HTTP ${String(answer.status)}`);
  const body = (await boundedJson(answer)) as {
    latest_version?: { openapi_schema?: unknown } | null;
  };
  return [
    ...differences(row, body.latest_version?.openapi_schema),
    ...priceDifferences(row, await publishedTiers(config, row)),
    ...ageFindings(row, Date.now()),
  ];
}

/** From the model's page, which is requested without the token; empty when it cannot be read, or has no prices. */
async function publishedTiers(config: Config, row: ModelRow): Promise<Tier[]> {
  const { base_url } = config.replicate;
  const origin = base_url === REPLICATE_URL ? 'https://replicate.com' : new URL(base_url).origin;
  try {
    const page = await ask(config, `${origin}/${row.id}`, { accept: 'text/html' });
    return page.ok ? tiersOf(await boundedText(page)) : [];
  } catch {
    return [];
  }
}

const ask = (
  { proxies }: Config,
  url: string,
  headers: Record<string, string>,
): Promise<Response> =>
  outboundFetch(proxies)(url, {
    headers,
    signal: AbortSignal.timeout(DEADLINE),
    redirect: 'error',
  });
