/**
 * What makes more tests possible, where the machine can: the time-skipping Temporal server (Java, Maven), Chromium
 * for the page, and Schemathesis for the API's description (Python). Without them the tests concerned are skipped, and a sentence here says why.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache } from './paths.mjs';
import { lastWords, run } from './processes.mjs';
import { say, timed } from './say.mjs';

const SERVER = 'io.temporal:temporal-test-server:1.38.0';
const folder = path.join(cache, 'test-server');
const CHROMIUM = '/usr/bin/chromium';

const timeSkipping = {
  needed: () => !existsSync(path.join(folder, 'temporal-test-server')),
  async make() {
    const found = await Promise.all([run('java', ['-version']), run('mvn', ['-v'])]);
    if (found.some(({ ok }) => !ok)) {
      say('without Java and Maven the tests on the time-skipping server are skipped');
      return;
    }
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
    return `no time-skipping server (${lastWords(text).slice(0, 160)}); its tests are skipped`;
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

const chromium = {
  needed: () => !existsSync(CHROMIUM),
  async make() {
    if (process.env.CI !== 'true' || process.getuid?.() !== 0) {
      say(`without ${CHROMIUM} the tests of the page in a browser are skipped`);
      return;
    }
    await timed('installing Chromium with apt', async () => {
      const update = await run('apt-get', ['update', '-q']);
      const { ok, text } = update.ok
        ? await run('apt-get', ['install', '-qy', '--no-install-recommends', 'chromium'])
        : update;
      return ok
        ? 'Chromium installed'
        : `no Chromium (${lastWords(text).slice(0, 160)}); its tests are skipped`;
    });
  },
};

/** Hypothesis makes the requests; with both pinned, a seed gives the same ones. */
const SCHEMATHESIS = ['schemathesis==4.32.5', 'hypothesis==6.170.17'];
const environment = path.join(cache, 'schemathesis');
/** Names what is installed, and is written last. */
const installed = path.join(environment, 'installed.txt');

const schemathesis = {
  needed: () =>
    !existsSync(installed) || readFileSync(installed, 'utf8') !== SCHEMATHESIS.join(' '),
  async make() {
    const { ok } = await run('python3', [
      '-c',
      'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))',
    ]);
    if (!ok) {
      say(
        'without Python 3.11 or later, with venv, the test of the API against its description is skipped',
      );
      return;
    }
    await timed('installing Schemathesis with pip', installSchemathesis);
  },
};

async function installSchemathesis() {
  rmSync(environment, { recursive: true, force: true });
  const made = await run('python3', ['-m', 'venv', environment]);
  const { ok, text } = made.ok
    ? await run(path.join(environment, 'bin', 'python'), [
        ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
        ...['--retries', '1', '--timeout', '20', ...SCHEMATHESIS],
      ])
    : made;
  if (!ok) {
    rmSync(environment, { recursive: true, force: true });
    return `no Schemathesis (${lastWords(text).slice(0, 160)}); its test is skipped`;
  }
  writeFileSync(installed, SCHEMATHESIS.join(' '));
  return 'Schemathesis ready';
}

export const testExtras = [timeSkipping, chromium, schemathesis];
