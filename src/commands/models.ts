/**
 * `npm run models`: the catalogue as a table, or as JSON. With a token, each row is compared with what the provider
 * publishes; exit 1 when a row differs, so that a scheduled run can tell.
 *
 * `--measured`: instead, what models delivered against what they were asked, from the finished jobs in DATA_DIR. It
 * asks nobody. A file that cannot be read, or is no finished job of that folder, is left out.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { outboundFetch } from '../adapters/outbound.js';
import { createArchive } from '../api/archive.js';
import { loadConfig } from '../config.js';
import { boundedJson } from '../bounded-text.js';
import type { Config } from '../config.js';
import type { ModelRow } from '../domain/models/row.js';
import { parseSwitches } from '../terminal/arguments.js';
import { oneLine, safeJson } from '../terminal/format.js';
import { differences } from '../terminal/model-differences.js';
import { deliveriesOf, measure, measuredTable } from '../terminal/model-measured.js';
import type { Delivery } from '../terminal/model-measured.js';
import { modelTable } from '../terminal/model-table.js';
import { runCommand } from './process.js';

const DEADLINE = 20_000;

export function main(argv: string[]): Promise<number> {
  return runCommand(async () => {
    const parsed = parseSwitches(argv, ['json', 'measured']);
    if (!parsed.ok) {
      console.error(`npm run models: ${parsed.message}`);
      return 2;
    }
    const config = loadConfig();
    const rows = [...config.catalogue.values()];
    if (parsed.on.has('measured')) {
      console.log(await measuredText(config.data_dir, rows, parsed.on.has('json')));
      return 0;
    }
    console.log(
      parsed.on.has('json')
        ? JSON.stringify({ models: rows }, null, 2)
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

async function measuredText(
  dataDir: string,
  rows: readonly ModelRow[],
  asJson: boolean,
): Promise<string> {
  const models = measure(await storedDeliveries(dataDir), rows);
  if (asJson) return safeJson(JSON.stringify({ models }, null, 2));
  if (models.length === 0) {
    return `Nothing is measured yet: no finished job in ${path.join(dataDir, 'jobs')} has a clip with a file.`;
  }
  return measuredTable(models).join('\n');
}

/** Job by job, so that only their few facts are in memory together. */
async function storedDeliveries(dataDir: string): Promise<Delivery[]> {
  const archive = createArchive(dataDir);
  const names = await readdir(path.join(dataDir, 'jobs')).catch(() => []);
  const found: Delivery[] = [];
  for (const name of names.sort()) {
    const jobId = jobIdOf(name);
    const job = jobId === null ? null : await archive.job(jobId);
    if (job !== null) found.push(...deliveriesOf(job));
  }
  return found;
}

/** Ids that are no safe names are kept encoded, behind a tilde. Null: no folder of ours. */
function jobIdOf(name: string): string | null {
  try {
    return name.startsWith('~') ? decodeURIComponent(name.slice(1)) : name;
  } catch {
    return null;
  }
}

/** Findings go to stderr, so that --json stays JSON. One request at a time: this is no hurry. */
async function compareAll(config: Config, rows: readonly ModelRow[]): Promise<boolean> {
  console.error(`\nComparing with ${config.replicate.base_url}`);
  let good = true;
  for (const row of rows) {
    const found = await compare(config, row).catch((error: unknown) => [
      `could not be compared: ${error instanceof Error ? error.message : String(error)}`,
    ]);
    if (found.length === 0) console.error(`${row.id}: the same`);
    for (const difference of found) console.error(`${row.id}: ${oneLine(difference)}`);
    good &&= found.length === 0;
  }
  return good;
}

async function compare({ replicate, proxies }: Config, row: ModelRow): Promise<string[]> {
  const { base_url, token } = replicate;
  const response = await outboundFetch(proxies)(`${base_url}/models/${row.id}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(DEADLINE),
    redirect: 'error',
  });
  if (!response.ok) throw new Error(`HTTP ${String(response.status)}`);
  const body = (await boundedJson(response)) as {
    latest_version?: { openapi_schema?: unknown } | null;
  };
  return differences(row, body.latest_version?.openapi_schema);
}
