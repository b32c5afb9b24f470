/**
 * What some tests need beyond Node and Temporal: the time-skipping Temporal server (Java, Maven), Chromium for the page,
 * Schemathesis for the API's description (Python), an S3 server and Helm (Go), and a few programs. On a person's machine the
 * tests that lack theirs are skipped, and a sentence here says why. Where CI is set, what can be installed is, and what is missing is an error.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache } from './paths.mjs';
import { errorLine, run } from './processes.mjs';
import {
  buildWithGo,
  findGo,
  isProgram,
  PROGRAM_FOLDER,
  programPath,
  sweepDrafts,
} from './programs.mjs';
import { say, SetupError, timed } from './say.mjs';

export const isCi = (env = process.env) => !['', '0', 'false'].includes(env.CI ?? '');

/** Tests are going to be skipped: a person is told, CI stops. */
export function skips(tests, why, env = process.env) {
  if (!isCi(env)) {
    say(`${tests} are skipped: ${why}`);
    return;
  }
  throw new SetupError(`${tests} cannot run: ${why}; CI is set, so nothing may be skipped.`);
}

const SERVER = 'io.temporal:temporal-test-server:1.38.0';
const folder = path.join(cache, 'test-server');
export const TIME_SKIPPING_SERVER = path.join(folder, 'temporal-test-server');
const SKIP_TIME = 'the tests on the time-skipping server';

export const CHROMIUM = '/usr/bin/chromium';

/** Hypothesis makes the requests; with both pinned, a seed gives the same ones. */
const SCHEMATHESIS = ['schemathesis==4.32.5', 'hypothesis==6.170.17'];
const environment = path.join(cache, 'schemathesis');
/** Names what is installed, and is written last. */
export const SCHEMATHESIS_LIST = path.join(environment, 'installed.txt');
export const SCHEMATHESIS_PYTHON = path.join(environment, 'bin', 'python');
const DESCRIBE = 'the tests of the API against its description';

/** Programs of the machine, and the Debian packages that have them. */
const PROGRAMS = [
  {
    name: 'Java and Maven',
    tests: SKIP_TIME,
    packages: ['default-jre-headless', 'maven'],
    isThere: () =>
      programPath('java') !== null &&
      (programPath('mvn') !== null || existsSync(TIME_SKIPPING_SERVER)),
  },
  {
    name: CHROMIUM,
    tests: 'the tests of the page in a browser',
    packages: ['chromium'],
    isThere: () => existsSync(CHROMIUM),
  },
  {
    name: 'python3',
    tests: `${DESCRIBE}, and of ZIP files,`,
    packages: ['python3', 'python3-venv'],
    isThere: () => programPath('python3') !== null,
  },
  {
    name: 'script, of util-linux',
    tests: 'the tests of Ctrl-C at a terminal',
    packages: ['bsdutils'],
    isThere: () => programPath('script') !== null,
  },
  {
    name: 'openssl',
    tests: 'the tests of certificates',
    packages: ['openssl'],
    isThere: () => programPath('openssl') !== null,
  },
];

const missing = () => PROGRAMS.filter(({ isThere }) => !isThere());

const programs = {
  needed: () => missing().length > 0,
  async make() {
    if (isCi() && process.getuid?.() === 0 && programPath('apt-get') !== null) {
      const packages = missing().flatMap((program) => program.packages);
      await timed(`installing ${packages.join(', ')} with apt`, () => install(packages));
    }
    for (const { name, tests } of missing()) skips(tests, `there is no ${name}`);
  },
};

async function install(packages) {
  const update = await run('apt-get', ['update', '-q']);
  const { ok, text } = update.ok
    ? await run('apt-get', [
        'install',
        '-qy',
        '--no-install-recommends',
        '-o',
        'Acquire::Retries=3',
        ...packages,
      ])
    : update;
  return ok ? undefined : `not installed: ${errorLine(text).slice(0, 160)}`;
}

const timeSkipping = {
  needed: () => !existsSync(TIME_SKIPPING_SERVER),
  async make() {
    if (programPath('java') === null || programPath('mvn') === null) return; // said already
    await timed('fetching the time-skipping test server with Maven', fetchServer);
  },
};

async function fetchServer() {
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  writeFileSync(path.join(draft, 'pom.xml'), pom());
  const { ok, text } = await run('mvn', [
    ...['-q', '-B', '-f', path.join(draft, 'pom.xml'), 'dependency:copy-dependencies'],
    `-DoutputDirectory=${path.join(draft, 'jars')}`,
  ]);
  if (!ok) {
    rmSync(draft, { recursive: true, force: true });
    skips(SKIP_TIME, errorLine(text).slice(0, 160));
    return 'no time-skipping server';
  }
  // The SDK waits only five seconds for it: no time for the optimising compiler to warm up.
  const script = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/jars/*" io.temporal.testserver.TestServer "$@"
`;
  writeFileSync(path.join(draft, 'temporal-test-server'), script, { mode: 0o755 });
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return 'time-skipping test server ready';
}

function pom() {
  const [groupId, artifactId, version] = SERVER.split(':');
  return `<project><modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>test-server</artifactId><version>1</version>
<dependencies><dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency></dependencies></project>`;
}

const schemathesis = {
  needed: () =>
    !existsSync(SCHEMATHESIS_LIST) ||
    readFileSync(SCHEMATHESIS_LIST, 'utf8') !== SCHEMATHESIS.join(' '),
  async make() {
    if (programPath('python3') === null) return; // said already
    const { ok } = await run('python3', [
      '-c',
      'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))',
    ]);
    if (!ok) {
      skips(DESCRIBE, 'they need Python 3.11 or later, with venv');
      return;
    }
    await timed('installing Schemathesis with pip', installSchemathesis);
  },
};

async function installSchemathesis() {
  rmSync(environment, { recursive: true, force: true });
  const made = await run('python3', ['-m', 'venv', environment]);
  const { ok, text } = made.ok
    ? await run(SCHEMATHESIS_PYTHON, [
        ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
        ...['--retries', '3', '--timeout', '20', ...SCHEMATHESIS],
      ])
    : made;
  if (!ok) {
    rmSync(environment, { recursive: true, force: true });
    skips(DESCRIBE, errorLine(text).slice(0, 160));
    return 'no Schemathesis';
  }
  writeFileSync(SCHEMATHESIS_LIST, SCHEMATHESIS.join(' '));
  return 'Schemathesis ready';
}

const goProgram = (name, version) => path.join(PROGRAM_FOLDER, `${name}-${version}`);

/** An S3 server over a folder. It keeps what S3 promises of conditional writes, ranges, pages and multipart uploads. */
export const BUCKETS = '1.8.0';
export const BUCKET_SERVER = goProgram('versitygw', BUCKETS);
const HELM_VERSION = '3.22.0';
export const HELM = goProgram('helm', HELM_VERSION);

/** Programs that Go builds, a minute to four each. */
const GO_PROGRAMS = [
  {
    name: `versitygw ${BUCKETS}`,
    tests: 'the tests on an S3 server',
    module: 'github.com/versity/versitygw/cmd/versitygw',
    version: BUCKETS,
    target: BUCKET_SERVER,
  },
  {
    name: `helm ${HELM_VERSION}`,
    tests: "the tests of the cluster's chart",
    module: 'helm.sh/helm/v3/cmd/helm',
    version: HELM_VERSION,
    target: HELM,
  },
];

const goPrograms = GO_PROGRAMS.map(({ name, tests, module, version, target }) => ({
  needed: () => !isProgram(target),
  async make() {
    const go = findGo();
    if (go === null) {
      skips(tests, `there is no Go (https://go.dev/dl) to build ${name} with`);
      return;
    }
    sweepDrafts();
    await timed(`building ${name} with Go`, async () => {
      const { ok, text } = await buildWithGo(go, module, version, target);
      if (ok) return `${name} built`;
      skips(tests, errorLine(text).slice(0, 160));
      return `no ${name}`;
    });
  },
}));

/** For commands that run one themselves. */
export const [bucketServer] = goPrograms;

export const testExtras = [programs, timeSkipping, schemathesis, ...goPrograms];
