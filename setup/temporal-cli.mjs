/**
 * Finds the `temporal` program that runs the embedded server: by TEMPORAL_CLI, on PATH, or in the cache of the checkout. Where
 * there is none it is downloaded, or built with Go where it cannot be. The command gets the path as TEMPORAL_CLI.
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { cache, inRoot } from './paths.mjs';
import { errorLine, run } from './processes.mjs';
import { say, SetupError, timed } from './say.mjs';

/** Later versions of the CLI have a `replace` in their go.mod, which `go install` refuses. */
const VERSION = '1.5.1';
const folder = path.join(cache, 'bin');
const cached = path.join(folder, `temporal-${VERSION}`);

/** Without a byte after this time, there is no usable network. */
const SILENCE_MS = 10_000;
const DOWNLOAD_MS = 300_000;

export const temporalCli = {
  needed: () => findTemporalCli() === null,
  async make() {
    sweep();
    if (!(await download())) await build();
  },
};

/** Null when there is none yet. A wrong TEMPORAL_CLI is refused, not ignored. */
export function findTemporalCli(env = process.env) {
  const given = env.TEMPORAL_CLI?.trim();
  if (given) {
    if (isProgram(given)) return given;
    throw new SetupError(
      `TEMPORAL_CLI: expected the path of a \`temporal\` program, got "${given}".`,
      { code: 2 },
    );
  }
  const places = (env.PATH ?? '').split(path.delimiter).filter((place) => place !== '');
  return [...places.map((place) => path.join(place, 'temporal')), cached].find(isProgram) ?? null;
}

export function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

async function download() {
  const draft = path.join(folder, `draft-download-${process.pid}`);
  mkdirSync(draft, { recursive: true });
  let arrived = false;
  await timed(`downloading the Temporal CLI ${VERSION}`, async () => {
    const { ok, text } = await run(
      process.execPath,
      [inRoot('setup/download-temporal.mjs'), draft, VERSION, String(SILENCE_MS)],
      { limit: DOWNLOAD_MS },
    );
    const [file] = ok ? readdirSync(draft) : [];
    if (file !== undefined) {
      chmodSync(path.join(draft, file), 0o755);
      renameSync(path.join(draft, file), cached);
      arrived = true;
      return 'Temporal CLI downloaded';
    }
    return `the download is not possible here (${errorLine(text).slice(0, 160)}); building it with Go instead`;
  });
  rmSync(draft, { recursive: true, force: true });
  return arrived;
}

async function build() {
  const go = ['go', '/usr/local/go/bin/go'].find((name) => onPath(name));
  if (go === undefined) {
    throw new SetupError(
      'a Temporal server is needed and could be neither downloaded nor built: install the Temporal CLI (https://docs.temporal.io/cli) or Go, or set TEMPORAL_ADDRESS to a server that runs.',
    );
  }
  const draft = path.join(folder, `draft-build-${process.pid}`);
  const scratch = path.join(cache, 'go-scratch');
  mkdirSync(draft, { recursive: true });
  mkdirSync(scratch, { recursive: true });
  say(
    'this happens once and takes two to four minutes on two cores; an interrupted build resumes where it stopped',
  );
  await timed(`building the Temporal CLI ${VERSION} with Go`, async () => {
    const { ok, text } = await run(
      go,
      ['install', `github.com/temporalio/cli/cmd/temporal@v${VERSION}`],
      { env: { CGO_ENABLED: '0', GOBIN: draft, GOTMPDIR: scratch, ...goCache() } },
    );
    rmSync(scratch, { recursive: true, force: true });
    if (!ok) {
      throw new SetupError(
        `building the Temporal CLI failed: ${errorLine(text)}; install it from https://docs.temporal.io/cli, or set TEMPORAL_ADDRESS to a server that runs.`,
      );
    }
    renameSync(path.join(draft, 'temporal'), cached);
    rmSync(draft, { recursive: true, force: true });
    return 'Temporal CLI built';
  });
}

/** Without a folder for its caches Go refuses to run. */
const goCache = () =>
  process.env.HOME || process.env.GOCACHE
    ? {}
    : { GOCACHE: path.join(cache, 'go-build'), GOPATH: path.join(cache, 'go') };

const onPath = (name) =>
  name.includes('/')
    ? isProgram(name)
    : (process.env.PATH ?? '')
        .split(path.delimiter)
        .some((place) => isProgram(path.join(place, name)));

/** Removes the rest of an interrupted download or build. Set-up is locked, so that no other process uses it. */
function sweep() {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.startsWith('draft-'))
      rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
