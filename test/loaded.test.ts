/** What the processes that run for long do not load: each of these packages costs every one of them megabytes, for good. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MEDIA = ['sharp', 'mediabunny', '@mediabunny/server', 'node-av'];
const SELDOM = ['undici', 'typescript', 'client-zip', 'dejavu-fonts-ttf'];
const BUNDLER = ['terser', '@swc/core', 'swc-loader', 'source-map-loader'];
/** `@opentelemetry/api` comes with prom-client. */
const TRACES = [
  ...['core', 'resources', 'sdk-trace-base', 'sdk-trace-node'].map(
    (name) => `@opentelemetry/${name}`,
  ),
  '@temporalio/interceptors-opentelemetry',
];
const SERVER = ['fastify', '@fastify/swagger', '@fastify/swagger-ui', '@fastify/static'];
const WORKER = ['@temporalio/worker', '@temporalio/core-bridge', 'rxjs', 'memfs', 'webpack'];

const run = promisify(execFile);

it.each([
  ['a worker', 'worker.js', 'zod', [...MEDIA, ...SELDOM, ...BUNDLER, ...SERVER, ...TRACES]],
  ['an API', 'api/server.js', 'fastify', [...MEDIA, ...SELDOM, ...BUNDLER, ...WORKER, ...TRACES]],
  ['a child that makes stills', 'adapters/media/thumbnail.js', 'node-av', ['sharp', ...SELDOM]],
])('%s loads nothing that it can do without', async (_process, module, needed, unneeded) => {
  const words = ['test/support/packages-of.mjs', module];
  const { stdout } = await run(process.execPath, words);
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded).toContain(needed);
  expect(loaded.filter((name) => unneeded.includes(name))).toEqual([]);
});
