/**
 * The image's HEALTHCHECK: asks the process of the container how it is, by its role. The role is the word that the container's
 * first process was started with, so that nothing has to be configured twice.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';

/** Role → where it answers while it is alive; the defaults are those of src/settings/variables.ts. */
const ROLES = {
  api: (env) => target(env.HOST, env.PORT || '3000', '/healthz'),
  start: (env) => target(env.HOST, env.PORT || '3000', '/healthz'),
  worker: (env) =>
    env.WORKER_HTTP_PORT ? target(env.HOST, env.WORKER_HTTP_PORT, '/healthz') : null,
  simulator: (env) => target(env.SIMULATOR_HOST, env.SIMULATOR_PORT || '8288', '/'),
};

const LIMIT_MS = 4_000;

const target = (host, port, path) => ({ host: reachable(host || '127.0.0.1'), port, path });

/** An address that stands for all of this machine is reached at its loopback. */
const reachable = (host) => ({ '0.0.0.0': '127.0.0.1', '::': '::1' })[host] ?? host;

/** Null where there is nothing to ask: commands that end by themselves, and workers without WORKER_HTTP_PORT. */
export function healthOf(commandLine, env) {
  const words = commandLine.split('\0');
  const role = words[words.findIndex((word) => word.endsWith('run.mjs')) + 1] ?? '';
  return Object.hasOwn(ROLES, role) ? ROLES[role](env) : null;
}

const isAlive = (where) =>
  new Promise((resolve) => {
    const asked = request({ ...where, timeout: LIMIT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const where = healthOf(readFileSync('/proc/1/cmdline', 'utf8'), process.env);
  process.exit(where === null || (await isAlive(where)) ? 0 : 1);
}
