/**
 * The programs of a Temporal cluster as people run it in production, its server and the tool that writes its schema into
 * PostgreSQL: on PATH, or built with Go into the cache of the checkout.
 */
import path from 'node:path';
import { errorLine } from './processes.mjs';
import {
  buildWithGo,
  findGo,
  isProgram,
  PROGRAM_FOLDER,
  programPath,
  sweepDrafts,
} from './programs.mjs';
import { SetupError, timed } from './say.mjs';

const VERSION = '1.32.0';
const MODULES = {
  'temporal-server': 'go.temporal.io/server/cmd/server',
  'temporal-sql-tool': 'go.temporal.io/server/cmd/tools/sql',
};

const cached = (name) => path.join(PROGRAM_FOLDER, `${name}-${VERSION}`);

/** The path of `temporal-server` or `temporal-sql-tool`; null when there is none yet. */
export const findServerProgram = (name) =>
  programPath(name) ?? (isProgram(cached(name)) ? cached(name) : null);

const missing = () => Object.keys(MODULES).filter((name) => findServerProgram(name) === null);

export const serverPrograms = {
  needed: () => missing().length > 0,
  async make() {
    const go = findGo();
    if (go === null) {
      throw new SetupError(
        'the Temporal server cannot be built: there is no Go (https://go.dev/dl); install it, or put temporal-server and temporal-sql-tool on PATH.',
      );
    }
    sweepDrafts();
    for (const name of missing()) {
      await timed(`building ${name} ${VERSION} with Go`, async () => {
        const { ok, text } = await buildWithGo(go, MODULES[name], VERSION, cached(name));
        if (!ok) throw new SetupError(`building ${name} failed: ${errorLine(text)}`);
        return `${name} built`;
      });
    }
  },
};
