/**
 * Every npm command starts here: set the machine up, then run the command in this same process. The steps are
 * rows of a table; each knows whether it is needed and how to do it. When none is needed, nothing is locked or printed.
 *
 * SET-UP-1 A signal during set-up ends what set-up has started, and the process, with the exit code that shells expect.
 * SET-UP-2 The command's own signal handlers are in place before those of set-up are removed.
 * SET-UP-3 Every failure is one sentence; a stack trace is never shown.
 * SET-UP-4 What a command has printed is read before the process ends: a pipe takes 64 KiB at a time.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { program } from './build.mjs';
import { packages } from './install.mjs';
import { OLDEST_NEXT, OLDEST_NODE, runsOn } from './node-range.mjs';
import { cache, inRoot, root } from './paths.mjs';
import { stopChildren } from './processes.mjs';
import { cannotWrite, isUnwritable, say, SetupError } from './say.mjs';
import { lockSetup } from './setup-lock.mjs';
import { findTemporalCli, temporalCli } from './temporal-cli.mjs';
import { serverPrograms } from './temporal-server.mjs';
import { bucketServer, testExtras } from './test-extras.mjs';

/** The image has no sources: what it runs is complete, and cannot be written. */
const base = existsSync(inRoot('src')) ? [packages, program] : [];
const own = (file) => ({ main: () => load(inRoot('dist/src/commands', file)) });
const built = (file) => ({ main: () => load(inRoot('dist', file)) });
const external = (file, name) => ({ main: () => load(inRoot('setup', file), name) });

/** `server`: always, or only when no TEMPORAL_ADDRESS names one. */
const COMMANDS = {
  generate: { ...own('generate.js'), server: 'unless-given' },
  start: { ...own('start.js'), server: 'unless-given' },
  temporal: { ...own('temporal.js'), server: 'always' },
  worker: own('worker.js'),
  api: own('api.js'),
  simulator: own('simulator.js'),
  models: own('models.js'),
  'search-attributes': own('search-attributes.js'),
  orphans: own('orphans.js'),
  prune: own('prune.js'),
  storage: own('storage.js'),
  chaos: { ...built('chaos/command.js'), server: 'always' },
  'chaos:hosts': {
    ...built('chaos/hosts/command.js'),
    server: 'always',
    extras: [serverPrograms, bucketServer],
  },
  test: { ...external('run-tests.mjs', 'full'), server: 'always', extras: testExtras },
  'test:fast': { ...external('run-tests.mjs', 'fast'), server: 'always' },
  'test:node-versions': external('run-node-versions.mjs'),
  'test:containers': { ...external('run-containers.mjs'), server: 'always' },
  bench: { ...external('run-bench.mjs'), server: 'always' },
  fuzz: { ...external('run-fuzz.mjs'), server: 'always' },
  build: { main: async () => async () => 0 },
};

const load = async (file, name = 'main') => (await import(pathToFileURL(file).href))[name];

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Also settles when the reader has gone. */
const written = (stream) => new Promise((resolve) => stream.write('', () => resolve()));

let stopping = false;

function onSignal() {
  const stop = (signal) => {
    if (stopping) return;
    stopping = true;
    say(`stopped by ${signal}; the next command resumes here`);
    void stopChildren().then(() => {
      release();
      process.exit(EXIT_CODES[signal]);
    });
  };
  for (const signal of Object.keys(EXIT_CODES)) process.on(signal, stop);
  return () => {
    for (const signal of Object.keys(EXIT_CODES)) process.off(signal, stop);
  };
}

let release = () => undefined;

async function setUp(name, command) {
  const needsServer =
    command.server === 'always' ||
    (command.server === 'unless-given' && !process.env.TEMPORAL_ADDRESS);
  const steps = [...base, ...(needsServer ? [temporalCli] : []), ...(command.extras ?? [])];
  if (steps.some((step) => step.needed())) {
    release = await lockSetup(path.join(cache, 'setup.lock'), name);
    try {
      for (const step of steps) if (step.needed()) await step.make();
    } finally {
      release();
    }
  }
  if (needsServer) process.env.TEMPORAL_CLI = findTemporalCli();
}

function checkNode() {
  if (runsOn(process.versions.node)) return;
  throw new SetupError(
    `expected Node ${OLDEST_NODE.join('.')} or a later 20, or ${OLDEST_NEXT.join('.')} or later, got ${process.versions.node}; install a newer Node.`,
  );
}

async function start(name, commandArguments) {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new SetupError(`expected one of ${Object.keys(COMMANDS).join(', ')}, got "${name}".`, {
      code: 2,
    });
  }
  const ignoreSignals = onSignal();
  checkNode();
  await setUp(name, command);
  const main = await command.main();
  const ended = main(commandArguments);
  ignoreSignals(); // SET-UP-2
  return ended;
}

const [name = '', ...commandArguments] = process.argv.slice(2);
try {
  const code = await start(name, commandArguments);
  await Promise.all([process.stdout, process.stderr].map(written)); // SET-UP-4
  process.exit(code);
} catch (error) {
  // SET-UP-1: a signal to the group may reach the child of a step first. Its failure is not reported then.
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (stopping) await new Promise(() => undefined);
  if (error instanceof SetupError) {
    console.error(error.message);
    process.exit(error.code);
  }
  if (isUnwritable(error) && error.path?.startsWith(root)) {
    console.error(cannotWrite(path.dirname(error.path), error).message);
    process.exit(1);
  }
  console.error(`${name}: failed unexpectedly: ${String(error?.message ?? error).split('\n')[0]}`);
  if (process.env.LOG_LEVEL === 'debug') console.error(error);
  process.exit(1);
}
