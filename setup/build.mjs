/**
 * dist: the compiled program, the page, the client as a package and the workflow bundle. `dist/.built` holds the fingerprint of everything
 * that went in. It is removed first and written last, so that an interrupted build is made again.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { errorLine, run } from './processes.mjs';
import { SetupError, timed } from './say.mjs';

const stamp = inRoot('dist', '.built');
const INPUTS = [
  'src',
  'chaos',
  'setup/build.mjs',
  'setup/bundle-workflows.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.web.json',
  'tsconfig.client.json',
  'setup/client-package.mjs',
  'docs/client.md',
  'package.json',
  'package-lock.json',
];

export const program = {
  needed: () =>
    !existsSync(stamp) ||
    readFileSync(stamp, 'utf8') !== fingerprint(INPUTS.map((name) => inRoot(name))),
  make: () =>
    timed('building', async () => {
      const built = fingerprint(INPUTS.map((name) => inRoot(name)));
      mkdirSync(inRoot('dist'), { recursive: true });
      rmSync(stamp, { force: true });
      rmSync(inRoot('dist/client'), { recursive: true, force: true });
      await Promise.all([
        compile('tsconfig.build.json', INCREMENTALLY),
        compile('tsconfig.web.json', INCREMENTALLY),
        compile('tsconfig.client.json'),
      ]);
      removeStaleOutput(inRoot('dist'), inRoot());
      removeStaleOutput(inRoot('dist/page'), inRoot('src'));
      copyPage(inRoot('dist/page'));
      await packClient();
      await bundleWorkflows();
      writeFileSync(stamp, built);
      return 'built';
    }),
};

/** Covers names and contents of files and folders, in an order that does not depend on the file system. */
export function fingerprint(places) {
  const hash = createHash('sha256').update(process.version);
  for (const file of places.flatMap((place) => filesBelow(place)).sort()) {
    hash.update(`\0${path.relative(inRoot(), file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesBelow(place) {
  if (!existsSync(place)) return [];
  try {
    return readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [place];
    throw error;
  }
}

/** Below dist, so that it is removed with the output. */
const INCREMENTALLY = (project) => [
  '--incremental',
  ...['--tsBuildInfoFile', inRoot('dist', `.${project}.tsbuildinfo`)],
];

async function compile(project, how = () => []) {
  const { ok, text } = await run(process.execPath, [
    inRoot('node_modules/typescript/bin/tsc'),
    ...['--project', inRoot(project)],
    ...how(project),
  ]);
  if (ok) return;
  const errors = text.split('\n').filter((line) => /error TS\d+/.test(line));
  for (const line of errors.slice(0, 20)) console.error(`  ${line}`);
  throw new SetupError(
    `building failed: ${String(errors.length || 'unknown')} mistakes found by TypeScript (${project}); correct them and run the command again.`,
  );
}

/** Incremental builds keep the output of deleted sources. */
function removeStaleOutput(output, source) {
  for (const file of filesBelow(output)) {
    const name = path.relative(output, file);
    if (
      !name.endsWith('.js') ||
      name === 'workflow-bundle.js' ||
      name.startsWith(`page${path.sep}`) ||
      name.startsWith(`client${path.sep}`)
    )
      continue;
    if (!existsSync(path.join(source, name.replace(/\.js$/, '.ts')))) {
      rmSync(file);
      rmSync(`${file}.map`, { force: true });
    }
  }
}

/** The page's modules → the package whose own module takes the place of the compiled one (decision 27). */
const VENDORED = { 'web/vendor/client-zip.js': 'node_modules/client-zip/index.js' };

/** What the compiler leaves out of the compiled page in `folder`. */
export function copyPage(folder) {
  const source = inRoot('src/web');
  for (const file of filesBelow(source)) {
    if (!/\.(html|css|svg|png|ico|webmanifest)$/.test(file)) continue;
    cpSync(file, path.join(folder, 'web', path.relative(source, file)));
  }
  for (const [module, file] of Object.entries(VENDORED)) {
    cpSync(inRoot(file), path.join(folder, module));
    rmSync(path.join(folder, `${module}.map`), { force: true });
  }
}

async function packClient() {
  const script = inRoot('setup/client-package.mjs');
  const { ok, text } = await run(process.execPath, [script, inRoot('dist/client')]);
  if (!ok) {
    throw new SetupError(
      `packing the client failed: ${errorLine(text)}; correct src/client and run the command again.`,
    );
  }
}

async function bundleWorkflows() {
  const { ok, text } = await run(process.execPath, [inRoot('setup/bundle-workflows.mjs')]);
  if (!ok) {
    throw new SetupError(
      `bundling the workflows failed: ${errorLine(text)}; correct src/workflows and run the command again.`,
    );
  }
}
