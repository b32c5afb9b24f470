/**
 * Finds programs of the machine, and builds others with Go into the cache of the checkout. Set-up is locked, so that no other
 * process builds there.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { cache } from './paths.mjs';
import { run } from './processes.mjs';

export const PROGRAM_FOLDER = path.join(cache, 'bin');

/** A file that this user may run. */
export function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Where a program is; null for none. */
export const programPath = (name, env = process.env) =>
  (env.PATH ?? '')
    .split(path.delimiter)
    .filter((place) => place !== '')
    .map((place) => path.join(place, name))
    .find(isProgram) ?? null;

const GO = '/usr/local/go/bin/go';

/** Null where there is no Go. */
export const findGo = () => programPath('go') ?? (isProgram(GO) ? GO : null);

/** Builds `module@version` as `target`; resolves to what `run` does. */
export async function buildWithGo(go, module, version, target) {
  const draft = path.join(PROGRAM_FOLDER, `draft-build-${process.pid}`);
  const scratch = path.join(cache, 'go-scratch');
  mkdirSync(draft, { recursive: true });
  mkdirSync(scratch, { recursive: true });
  const built = await run(go, ['install', `${module}@v${version}`], {
    env: { CGO_ENABLED: '0', GOBIN: draft, GOTMPDIR: scratch, ...goCache() },
  });
  rmSync(scratch, { recursive: true, force: true });
  if (built.ok) renameSync(path.join(draft, path.basename(module)), target);
  rmSync(draft, { recursive: true, force: true });
  return built;
}

/** Without a folder for its caches Go refuses to run. */
const goCache = () =>
  process.env.HOME || process.env.GOCACHE
    ? {}
    : { GOCACHE: path.join(cache, 'go-build'), GOPATH: path.join(cache, 'go') };

/** Removes the rest of an interrupted download or build. */
export function sweepDrafts() {
  if (!existsSync(PROGRAM_FOLDER)) return;
  for (const name of readdirSync(PROGRAM_FOLDER)) {
    if (name.startsWith('draft-')) {
      rmSync(path.join(PROGRAM_FOLDER, name), { recursive: true, force: true });
    }
  }
}
