/**
 * `npm run storage -- copy FROM TO [--dry-run] [--json]`: copies a store, a folder (a DATA_DIR) or `s3://bucket/prefix`, into
 * another (copying.ts). Exit 0: TO has everything of FROM. 1: something differs, or a store failed: run it again. 2: a bad
 * word or setting, or a place that is refused; nothing was copied.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../adapters/storage/open-store.js';
import { scratchFolder } from '../adapters/storage/scratch-files.js';
import { plural } from '../client/figures.js';
import { loadConfig, requireWritable } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { holderOf } from '../embedded/data-dir-claim.js';
import { bucketUrl } from '../settings/shapes.js';
import { oneLine, safeJson } from '../terminal/format.js';
import { dataSize } from './amounts.js';
import { copyStore } from './copying.js';
import type { Copied } from './copying.js';
import { runCommand, UserError } from './process.js';

const USAGE =
  'npm run storage -- copy FROM TO [--dry-run] [--json], each a folder or s3://bucket/prefix';
/** Milliseconds between two lines about how far it is. */
const SAY_EVERY = 5_000;
const MAX_TOLD = 20;

export const main = (argv: string[]): Promise<number> =>
  runCommand(async () => {
    const { from, to, dry_run, json } = read(argv);
    const config = loadConfig();
    for (const place of [from, to]) await refuseInUse(place);
    if (to.type === 'folder' && !dry_run) requireWritable(to.folder);
    console.error(
      'storage: workers and APIs of both places have to be stopped until this has ended with exit 0.',
    );
    const copied = await copyStore({
      from: await open(from, config),
      to: await open(to, config),
      scratch: scratchFolder(to.type === 'folder' ? to.folder : config.data_dir),
      dry_run,
      onProgress: progress(),
    });
    console.log(
      json ? safeJson(JSON.stringify({ dry_run, ...copied }, null, 2)) : textOf(copied, dry_run),
    );
    return copied.differences.length > 0 ? 1 : 0;
  });

type Place = { type: 'folder'; folder: string } | { type: 'bucket'; url: string };

interface Options {
  from: Place;
  to: Place;
  dry_run: boolean;
  json: boolean;
}

function read(argv: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [verb, from = '', to = '', ...rest] = positionals;
    if (verb !== 'copy' || to === '' || rest.length > 0)
      throw new Error(`expected "copy FROM TO", got "${positionals.join(' ')}"`);
    const places = { from: placeOf(from), to: placeOf(to) };
    if (nameOf(places.from) === nameOf(places.to))
      throw new Error(`expected two places, got ${from} twice`);
    const { from: source } = places;
    if (source.type === 'folder' && !isFolder(source.folder))
      throw new Error(`FROM: expected a folder, got "${from}"`);
    return { ...places, dry_run: values['dry-run'], json: values.json };
  } catch (error) {
    const [said = ''] = errorMessage(error).split('\n');
    throw new UserError(`npm run storage: ${said}\nUsage: ${USAGE}`, { cause: error });
  }
}

function placeOf(text: string): Place {
  if (!/^[a-z0-9]+:\/\//i.test(text)) return { type: 'folder', folder: text };
  const checked = bucketUrl.safeParse(text);
  if (checked.success) return { type: 'bucket', url: checked.data };
  throw new Error(`expected a folder or s3://bucket/prefix, got "${text}"`);
}

const nameOf = (place: Place): string =>
  place.type === 'folder' ? path.resolve(place.folder) : place.url;

const isFolder = (folder: string): boolean =>
  statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Workers that run without a stack of their own are not seen. */
async function refuseInUse(place: Place): Promise<void> {
  const holder = place.type === 'folder' ? await holderOf(place.folder) : null;
  if (place.type === 'bucket' || holder === null) return;
  throw new UserError(
    `expected ${place.folder} without a running program, got ${holder.command} (process ${String(holder.pid)}); stop it.`,
  );
}

const open = (place: Place, { data_dir, storage }: Config) =>
  openStore(
    place.type === 'folder'
      ? { data_dir: place.folder, storage: { ...storage, url: null } }
      : { data_dir, storage: { ...storage, url: place.url } },
  );

function progress(): (copied: Copied, key: string) => void {
  let saidAt = Date.now();
  return ({ copied, there }, key) => {
    if (Date.now() - saidAt < SAY_EVERY) return;
    saidAt = Date.now();
    const done = `${plural(copied.objects, 'object')} copied (${dataSize(copied.bytes)}), ${String(there.objects)} were there`;
    console.error(oneLine(`storage: ${done}; at ${key}`));
  };
}

function textOf({ copied, there, differences }: Copied, dryRun: boolean): string {
  const told = differences
    .slice(0, MAX_TOLD)
    .map(({ key, reason }) => oneLine(`differs: ${key}: ${reason}`));
  const more = differences.length - told.length;
  return [
    `${dryRun ? 'Would copy' : 'Copied'} ${plural(copied.objects, 'object')}, ${dataSize(copied.bytes)}; ${plural(there.objects, 'object')}, ${dataSize(there.bytes)}, there already with the same hash; ${plural(differences.length, 'difference')}.`,
    ...told,
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ].join('\n');
}
