/**
 * Run as a process: bundles dist/src/workflows into dist/workflow-bundle.js, the one file that the workflow sandbox loads.
 *
 * The bundler is webpack, which takes `!`, `?` and `#` of a path for its own syntax. A checkout with such characters in its path is
 * bundled through a symbolic link, which --preserve-symlinks and `symlinks: false` keep unresolved.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const SYNTAX = /[!?#%[\]{}*]/;
/**
 * The SDK records the stack of every promise of a workflow. A replay of 5,200 events takes 2.2 s of CPU with stacks of ten lines,
 * 1.6 s with three, which are enough to find the line of code, and 1.3 s without. Set in the bundle itself, before its other code
 * runs: in a workflow `Error` is frozen.
 */
const SHORT_STACKS = 'Error.stackTraceLimit = 3;';

/**
 * A worker keeps several copies of the bundle's text (one for each thread, and V8's), with two bytes a character when a single
 * character needs them. Without comments, in ASCII, and with a source map that does not repeat the sources it is 0.64 MiB instead
 * of 2.1. Names are kept: stacks and errors show them.
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

process.exit(SYNTAX.test(here) ? bundleThroughLink() : await bundle());

function bundleThroughLink() {
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
    workflowInterceptorModules: ['split-task-guard', 'trace-headers'].map((name) =>
      path.join(here, `dist/src/workflows/${name}.js`),
    ),
    failureConverterPath: path.join(here, 'setup/workflow-failures.cjs'),
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
