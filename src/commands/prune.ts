/**
 * `npm run prune -- --older-than 30d [--keep-videos] [--dry-run] [--json]`: removes jobs that ended longer ago than that, from
 * the store and from Temporal (pruning.ts). Exit 0: done. 1: a job could not be removed, or the store failed. 2: a bad word or setting, or
 * Temporal does not say which jobs run, so that nothing was removed.
 */
import { parseArgs } from 'node:util';
import { createJobIndex } from '../adapters/storage/job-index.js';
import { openStore } from '../adapters/storage/open-store.js';
import { connectTemporal } from '../adapters/temporal/connection.js';
import { TemporalAway } from '../api/jobs/jobs-port.js';
import { plural } from '../client/figures.js';
import { loadConfig } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { oneLine, safeJson, table } from '../terminal/format.js';
import { dataSize } from './amounts.js';
import { createJobRuns } from './job-runs.js';
import { runCommand, UserError } from './process.js';
import { prune } from './pruning.js';
import type { Pruned, PruneOptions } from './pruning.js';

const USAGE = 'npm run prune -- --older-than 30d [--keep-videos] [--dry-run] [--json]';
const CONNECT = 10_000;
/** Milliseconds between two lines about how far it is. */
const SAY_EVERY = 5_000;
const MAX_TOLD = 10;

export const main = (argv: string[]): Promise<number> =>
  runCommand(async () => {
    const { json, ...options } = read(argv);
    const config = loadConfig();
    const connection = await connected(config);
    try {
      const store = await openStore(config);
      const { namespace, task_queue } = config.temporal;
      const { codec_keys } = config;
      const runs = createJobRuns({ connection, namespace, task_queue, store, codec_keys });
      const onProgress = progress();
      const pruned = await prune(
        { store, index: createJobIndex(store), runs, onProgress },
        options,
      );
      console.log(
        json
          ? safeJson(JSON.stringify({ dry_run: options.dry_run, ...pruned }, null, 2))
          : textOf(pruned, options, store.location),
      );
      return pruned.failed.length > 0 ? 1 : 0;
    } catch (error) {
      throw error instanceof TemporalAway ? silent(config, error) : error;
    } finally {
      await connection.close();
    }
  });

const connected = (config: Config) =>
  connectTemporal({ ...config.temporal.connection, connectTimeout: CONNECT }).catch(
    (error: unknown) => {
      throw silent(config, error);
    },
  );

const silent = ({ temporal }: Config, cause: unknown): UserError =>
  new UserError(
    `expected Temporal at ${temporal.address} to say which jobs are running, got no answer; start it, or set TEMPORAL_ADDRESS. What was removed before is whole, and the next run continues.`,
    { cause },
  );

export function read(argv: readonly string[]): PruneOptions & { json: boolean } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'older-than': { type: 'string' },
        'keep-videos': { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    return {
      older_than: ageOf(values['older-than']),
      keep_videos: values['keep-videos'],
      dry_run: values['dry-run'],
      json: values.json,
    };
  } catch (error) {
    const [said = ''] = errorMessage(error).split('\n');
    throw new UserError(`npm run prune: ${said}\nUsage: ${USAGE}`, { cause: error });
  }
}

const HOUR = 3_600_000;
const UNITS = { h: HOUR, d: 24 * HOUR, w: 168 * HOUR } as const;
const MAX_AGE = 100 * 365 * UNITS.d;

function ageOf(text: string | undefined): number {
  const [, count, unit] = /^(\d{1,6})([hdw])$/.exec(text ?? '') ?? [];
  const age = count === undefined ? 0 : Number(count) * UNITS[unit as keyof typeof UNITS];
  if (age >= HOUR && age <= MAX_AGE) return age;
  throw new Error(
    `--older-than: expected a whole number of hours, days or weeks, at least 1h, such as 12h, 30d or 8w, got ${text === undefined ? 'none' : `"${text}"`}`,
  );
}

function progress(): (pruned: Pruned) => void {
  let saidAt = Date.now();
  return (pruned) => {
    if (Date.now() - saidAt < SAY_EVERY) return;
    saidAt = Date.now();
    console.error(`prune: ${plural(pruned.jobs, 'job')}, ${dataSize(sumOf(pruned).bytes)}`);
  };
}

const sumOf = ({ removed }: Pruned): { objects: number; bytes: number } =>
  Object.values(removed).reduce((sum, { objects, bytes }) => ({
    objects: sum.objects + objects,
    bytes: sum.bytes + bytes,
  }));

export function textOf(
  pruned: Pruned,
  { dry_run, keep_videos }: Pick<PruneOptions, 'dry_run' | 'keep_videos'>,
  location: string,
): string {
  const sum = sumOf(pruned);
  const rows = Object.entries(pruned.removed).map(([kind, { objects, bytes }]) => [
    kind,
    String(objects),
    dataSize(bytes),
  ]);
  const told = pruned.failed
    .slice(0, MAX_TOLD)
    .map(({ job_id, reason }) => oneLine(`not removed: ${job_id}: ${reason}`));
  const more = pruned.failed.length - told.length;
  return [
    ...table([['', 'objects', 'size'], ...rows], new Set([1, 2])),
    '',
    `${dry_run ? 'Would remove' : 'Removed'} ${plural(pruned.jobs, 'job')}, ${plural(sum.objects, 'object')}, ${dataSize(sum.bytes)} from ${oneLine(location)}.`,
    ...(keep_videos ? ['Videos, thumbnails and their facts stay.'] : []),
    ...(pruned.running > 0 ? [`${plural(pruned.running, 'old job')} runs again and stays.`] : []),
    ...(pruned.payloads_kept === null ? [] : [oneLine(`Payloads stay: ${pruned.payloads_kept}.`)]),
    'Claims stay for ever: without them a prediction could be taken for that of two clips.',
    ...told,
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ].join('\n');
}
