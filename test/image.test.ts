/** The image without a Docker engine: what the Dockerfile promises, what is left out, and whom its health check asks. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { healthOf } from '../setup/healthcheck.mjs';
import { LEFT_OUT, leaveOut } from '../setup/slim-image.mjs';
import { loadConfig } from '../src/config.js';
import { testFolder } from './support/test-folder.js';

const textOf = (name: string): string =>
  readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** Instructions with their continuation lines. */
const instructions = textOf('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');
const valuesOf = (name: string): string[] =>
  instructions
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1));

describe('the Dockerfile', () => {
  it('names only base images that a build can replace, in pinned releases', () => {
    const images = valuesOf('ARG').map((argument) => argument.split('='));
    for (const [, image] of images)
      expect(image).toMatch(/^(node:24-bookworm|debian:bookworm)-slim$/);
    const names = images.map(([name]) => `\${${String(name)}}`);
    for (const from of valuesOf('FROM')) expect(names).toContain(from.split(' ')[0]);
  });

  it('runs as a user who is not root, by number', () => {
    expect(valuesOf('USER').at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('starts node itself, so that signals reach it', () => {
    expect(JSON.parse(valuesOf('ENTRYPOINT').at(-1) ?? '')).toEqual(['node', '/app/setup/run.mjs']);
    expect(valuesOf('HEALTHCHECK').at(-1)).toMatch(
      /CMD \["node", "\/app\/setup\/healthcheck\.mjs"\]/,
    );
  });

  it('copies nothing that the build context leaves out, and installs what the lock file says', () => {
    const lines = textOf('.dockerignore').split('\n');
    const kept = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(lines).toContain('*');
    const sources = valuesOf('COPY')
      .filter((words) => !words.startsWith('--from'))
      .flatMap((words) => words.split(' ').slice(0, -1));
    for (const source of sources) expect(kept).toContain(source);
    expect(instructions.join('\n')).toMatch(/RUN npm ci /);
  });
});

describe('what the image leaves out', () => {
  it.each(LEFT_OUT.filter((row) => row.in !== ''))('is there to be left out: $in', (row) => {
    expect(existsSync(new URL(`../node_modules/${row.in}`, import.meta.url))).toBe(true);
  });

  it('keeps the code of a package, its licence and the one platform that is this one', () => {
    const { path: folder, remove } = testFolder('slim');
    onTestFinished(remove);
    const releases = ['x86_64', 'aarch64'].flatMap((arch) =>
      ['unknown-linux-gnu', 'apple-darwin'].map((system) => `${arch}-${system}`),
    );
    const files = [
      ...['some/index.js', 'some/index.js.map', 'some/index.d.ts', 'some/README.md'],
      ...['some/LICENSE.md', 'typescript/lib/tsc.js'],
      ...releases.map((name) => `@temporalio/core-bridge/releases/${name}/index.node`),
    ];
    for (const file of files) {
      mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(folder, file), 'x');
    }
    const bytes = LEFT_OUT.reduce((sum, row) => sum + leaveOut(folder, row), 0);
    const left = files.filter((file) => existsSync(path.join(folder, file)));
    const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    expect(left).toEqual([
      'some/index.js',
      'some/LICENSE.md',
      `@temporalio/core-bridge/releases/${arch}-unknown-linux-gnu/index.node`,
    ]);
    expect(bytes).toBe(files.length - left.length);
  });
});

describe('the health check', () => {
  const commandLine = (...words: string[]): string => [...words, ''].join('\0');
  const started = (role: string): string => commandLine('node', '/app/setup/run.mjs', role);
  const { api, simulator } = loadConfig({});

  it('asks where the program listens by default', () => {
    expect(healthOf(started('api'), {})).toMatchObject({
      host: api.host,
      port: String(api.port),
    });
    expect(healthOf(started('simulator'), {})).toMatchObject({
      host: simulator.host,
      port: String(simulator.port),
    });
  });

  it('asks where it was told to listen, at loopback where that is everywhere', () => {
    const env = { HOST: '0.0.0.0', PORT: '3001', WORKER_HTTP_PORT: '9464' };
    expect(healthOf(started('api'), env)).toEqual({
      host: '127.0.0.1',
      port: '3001',
      path: '/healthz',
    });
    expect(healthOf(started('worker'), env)).toEqual({
      host: '127.0.0.1',
      port: '9464',
      path: '/healthz',
    });
    expect(healthOf(started('simulator'), { SIMULATOR_HOST: 'simulator' })?.host).toBe('simulator');
  });

  it('finds the role behind an init process too', () => {
    const behind = commandLine('/sbin/docker-init', '--', 'node', '/app/setup/run.mjs', 'worker');
    expect(healthOf(behind, { WORKER_HTTP_PORT: '9464' })?.port).toBe('9464');
  });

  it('has nothing to ask of commands that end by themselves', () => {
    expect(healthOf(started('models'), {})).toBeNull();
    expect(healthOf(started('worker'), {})).toBeNull();
    expect(healthOf('', {})).toBeNull();
  });
});
