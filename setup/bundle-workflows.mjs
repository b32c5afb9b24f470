/**
 * A process of its own: dist/src/workflows → dist/workflow-bundle.js, the one file the workflow sandbox loads.
 *
 * The bundler is webpack, which reads `!`, `?` and `#` of a path as a syntax of its own. It is shown the checkout by another
 * name then: a link without such characters, kept apart from what it leads to by --preserve-symlinks and `symlinks: false`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const SYNTAX = /[!?#%[\]{}*]/;
/**
 * The SDK notes down the stack of every promise of a workflow. With all of ten lines that is two fifths of what a replay costs: of
 * a run of 5,200 events 2.2 s of CPU, without any 1.3 s, and 1.6 s with three, which are enough to find a place by. In the bundle
 * itself, before anything of it runs: in a workflow `Error` is frozen.
 */
const SHORT_STACKS = 'Error.stackTraceLimit = 3;';

/**
 * A worker keeps the text of the bundle several times (of each of its threads, and as what V8 compiled), two bytes a character
 * where a single one needs them. Without comments, with escapes, and with a map that names places instead of repeating the sources it
 * is 0.64 MiB instead of 2.1. Names stay: stacks and errors show them.
 */
const SMALL = {
  devtool: 'inline-nosources-source-map',
  optimization: {
    minimize: {
      javascript: {
        compress: false,
        mangle: false,
        format: { ascii_only: true, comments: false, preamble: SHORT_STACKS },
      },
    },
  },
};

process.exit(SYNTAX.test(here) ? byAnotherName() : await bundle());

function byAnotherName() {
  const folder = mkdtempSync(path.join(SYNTAX.test(tmpdir()) ? '/tmp' : tmpdir(), 'bundle-'));
  const link = path.join(folder, 'checkout');
  try {
    symlinkSync(here, link, 'junction');
    const { status } = spawnSync(
      process.execPath,
      [
        ...['--preserve-symlinks', '--preserve-symlinks-main'],
        path.join(link, 'setup', path.basename(fileURLToPath(import.meta.url))),
      ],
      { stdio: 'inherit' },
    );
    return status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle() {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(here, 'dist/src/workflows/index.js'),
    workflowInterceptorModules: [path.join(here, 'dist/src/workflows/split-task-guard.js')],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (options) => ({
      ...options,
      ...SMALL,
      resolve: { ...options.resolve, symlinks: false },
      resolveLoader: { symlinks: false },
    }),
  });
  const draft = path.join(here, 'dist/workflow-bundle.draft');
  writeFileSync(draft, code);
  renameSync(draft, path.join(here, 'dist/workflow-bundle.js'));
  return 0;
}
