/**
 * Docker for `npm run test:containers`: the engine that runs, else one of our own for as long as the command takes; and Compose 2,
 * built with Go where the machine has none.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
import { timed } from './say.mjs';

/** The last release that `go install` takes. */
const COMPOSE = '2.33.1';
const builtCompose = path.join(PROGRAM_FOLDER, `docker-compose-${COMPOSE}`);

const START_MS = 30_000;
const SILENT = async () => undefined;

/** `missing`: why there is no engine. `stop` ends what was started. */
export async function findEngine() {
  if (programPath('docker') === null) return { missing: 'there is no docker program' };
  if ((await run('docker', ['info'])).ok) return { stop: SILENT };
  if (process.getuid?.() !== 0) {
    return { missing: 'the Docker engine does not answer, or not this user' };
  }
  if (programPath('dockerd') === null) return { missing: 'no Docker engine runs' };
  return startEngine();
}

/** Its images are kept in the cache of the checkout. */
async function startEngine() {
  const folder = mkdtempSync(path.join(tmpdir(), 'dockerd-'));
  const host = `unix://${folder}/docker.sock`;
  const words = ['--host', host, '--pidfile', `${folder}/pid`];
  let child = null;
  const ended = run('dockerd', [...words, '--data-root', path.join(cache, 'docker')], {
    started: (own) => (child = own),
  }).then(({ text }) => errorLine(text));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  process.env.DOCKER_HOST = host;
  const until = Date.now() + START_MS;
  while (!(await run('docker', ['info'])).ok) {
    const why = await Promise.race([ended, pause(200)]);
    if (why !== undefined || Date.now() > until) {
      await stop();
      return { missing: `a Docker engine could not be started (${why ?? 'it does not answer'})` };
    }
  }
  return { stop };
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The words that start Compose; null for none. */
export async function findCompose() {
  if ((await run('docker', ['compose', 'version'])).ok) return ['docker', 'compose'];
  if (isProgram(builtCompose)) return [builtCompose];
  const go = findGo();
  if (go === null) return null;
  sweepDrafts();
  await timed(`building Docker Compose ${COMPOSE} with Go`, async () => {
    const module = 'github.com/docker/compose/v2/cmd';
    const { ok, text } = await buildWithGo(go, module, COMPOSE, builtCompose);
    return ok ? 'Docker Compose built' : `Docker Compose not built: ${errorLine(text)}`;
  });
  return existsSync(builtCompose) ? [builtCompose] : null;
}

/** Resolves to what `run` does. On the host's network: a build reaches the registries that this machine reaches. */
export async function buildImage(tag, folder, buildArguments = {}) {
  const hasBuildx = (await run('docker', ['buildx', 'version'])).ok;
  const words = Object.entries(buildArguments).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);
  return run('docker', ['build', '--network', 'host', ...words, '--tag', tag, folder], {
    env: { DOCKER_BUILDKIT: hasBuildx ? '1' : '0' },
  });
}
