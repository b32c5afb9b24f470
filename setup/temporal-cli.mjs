/**
 * Finds the `temporal` program that runs the embedded server: by TEMPORAL_CLI, on PATH, or in the cache of the checkout. Where
 * there is none it is downloaded, or built with Go where it cannot be. The command gets the path as TEMPORAL_CLI.
 */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { errorLine, run } from './processes.mjs';
import {
  buildWithGo,
  findGo,
  isProgram,
  PROGRAM_FOLDER as folder,
  programPath,
  sweepDrafts,
} from './programs.mjs';
import { say, SetupError, timed } from './say.mjs';

/** Later versions of the CLI have a `replace` in their go.mod, which `go install` refuses. */
const VERSION = '1.5.1';
const cached = path.join(folder, `temporal-${VERSION}`);

/** Without a byte after this time, there is no usable network. */
const SILENCE_MS = 10_000;
const DOWNLOAD_MS = 300_000;

export const temporalCli = {
  needed: () => findTemporalCli() === null,
  async make() {
    sweepDrafts();
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
  return programPath('temporal', env) ?? (isProgram(cached) ? cached : null);
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
  const go = findGo();
  if (go === null) {
    throw new SetupError(
      'a Temporal server is needed and could be neither downloaded nor built: install the Temporal CLI (https://docs.temporal.io/cli) or Go, or set TEMPORAL_ADDRESS to a server that runs.',
    );
  }
  say(
    'this happens once and takes two to four minutes on two cores; an interrupted build resumes where it stopped',
  );
  await timed(`building the Temporal CLI ${VERSION} with Go`, async () => {
    const module = 'github.com/temporalio/cli/cmd/temporal';
    const { ok, text } = await buildWithGo(go, module, VERSION, cached);
    if (!ok) {
      throw new SetupError(
        `building the Temporal CLI failed: ${errorLine(text)}; install it from https://docs.temporal.io/cli, or set TEMPORAL_ADDRESS to a server that runs.`,
      );
    }
    return 'Temporal CLI built';
  });
}
