/**
 * The compose file without a Docker engine: its structure by the rules of the Compose Specification, its
 * promises (pinned, loopback, durable), and its two scripts run for real against stand-ins of the tools.
 */
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { testFolder } from './support/test-folder.js';

interface Service {
  image: string;
  restart?: string;
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, unknown>;
  entrypoint?: string[];
  command?: string[];
  volumes?: string[];
  configs?: { source: string; target: string }[];
  ports?: string[];
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number };
}

interface Compose {
  name: string;
  services: Record<string, Service>;
  volumes: Record<string, null>;
  configs: Record<string, { content: string }>;
}

const file = new URL('../docker-compose.temporal.yml', import.meta.url);
const text = await readFile(file, 'utf8');
const compose = parse(text, { merge: true, uniqueKeys: true, strict: true }) as Compose;
const services = Object.entries(compose.services);

const TOP_LEVEL = ['name', 'services', 'volumes', 'configs', 'networks', 'secrets'];
const SERVICE = [
  ...['image', 'restart', 'depends_on', 'environment', 'entrypoint', 'command', 'volumes'],
  ...['configs', 'ports', 'healthcheck'],
];
const DURATION = /^\d+(ms|s|m|h)$/;

/** As Compose does: variables with their defaults, then `$$` for a dollar of the script's own. */
const interpolate = (value: string): string =>
  value.replace(/\$\$|\$\{\w+:-([^}]*)\}/g, (found: string, fallback: string | undefined) =>
    found === '$$' ? '$' : (fallback ?? ''),
  );

describe('the structure of docker-compose.temporal.yml', () => {
  it('has only fields of the specification, and not the obsolete version', () => {
    const unknown = Object.keys(compose).filter((key) => !/^x-/.test(key));
    expect(TOP_LEVEL).toEqual(expect.arrayContaining(unknown));
    for (const [, service] of services) {
      expect(SERVICE).toEqual(expect.arrayContaining(Object.keys(service)));
    }
    expect(compose.name).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
  });

  it.each(services)('gives %s texts where numbers would be read differently', (_name, service) => {
    for (const value of Object.values(service.environment ?? {}))
      expect(value).toBeTypeOf('string');
    for (const port of service.ports ?? []) expect(port).toBeTypeOf('string');
    for (const word of [...(service.entrypoint ?? []), ...(service.command ?? [])]) {
      expect(word).toBeTypeOf('string');
    }
  });

  it.each(services)('lets %s wait only for what can happen', (_name, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      const other = compose.services[name];
      expect(other, name).toBeDefined();
      if (condition === 'service_healthy') expect(other?.healthcheck).toBeDefined();
      else {
        expect(condition).toBe('service_completed_successfully');
        expect(other?.restart).toMatch(/^on-failure:\d+$/);
      }
    }
  });

  it('starts in an order that exists', () => {
    const started = new Set<string>();
    for (;;) {
      const next = services.filter(
        ([name, { depends_on = {} }]) =>
          !started.has(name) && Object.keys(depends_on).every((other) => started.has(other)),
      );
      if (next.length === 0) break;
      for (const [name] of next) started.add(name);
    }
    expect([...started].sort()).toEqual(services.map(([name]) => name).sort());
  });

  it.each(services.filter(([, { healthcheck }]) => healthcheck !== undefined))(
    'asks %s for its health as Compose understands it',
    (_name, { healthcheck }) => {
      expect(['CMD', 'CMD-SHELL']).toContain(healthcheck?.test[0]);
      expect(healthcheck?.test.length).toBeGreaterThan(1);
      expect(healthcheck?.interval).toMatch(DURATION);
      expect(healthcheck?.timeout).toMatch(DURATION);
      expect(healthcheck?.retries).toBeGreaterThan(0);
    },
  );

  it('declares every volume and configuration that is used, and no other', () => {
    const volumes = services.flatMap(([, { volumes = [] }]) => volumes.map((v) => v.split(':')[0]));
    expect(volumes).toEqual(Object.keys(compose.volumes));
    const configs = services.flatMap(([, { configs = [] }]) => configs.map((c) => c.source));
    expect(configs).toEqual(Object.keys(compose.configs));
  });

  it('needs no variable to be set', () => {
    const variables = [...text.replaceAll('$$', '').matchAll(/\$\{?\w+(:-[^}]+\})?/g)];
    expect(variables.length).toBeGreaterThan(3);
    for (const [found, fallback] of variables) expect(fallback, found).toBeDefined();
  });
});

describe('what docker-compose.temporal.yml promises', () => {
  it.each(services)(
    'pins the image of %s, and takes none that is deprecated',
    (_name, { image }) => {
      expect(image).toMatch(
        /^(postgres|temporalio\/(server|admin-tools|ui)):\d+\.\d+(\.\d+)?(-alpine)?$/,
      );
    },
  );

  it('prepares the schema with the tools of the very version that serves', () => {
    const tag = (name: string): string | undefined => compose.services[name]?.image.split(':')[1];
    expect(tag('schema')).toBe(tag('temporal'));
    expect(tag('namespace')).toBe(tag('temporal'));
  });

  it('listens on loopback only, where the application expects it', () => {
    const ports = services.flatMap(([, { ports = [] }]) => ports.map(interpolate));
    expect(ports.sort()).toEqual(['127.0.0.1:7233:7233', '127.0.0.1:8233:8080']);
  });

  it('keeps the database in a named volume and restarts what must run', () => {
    expect(compose.services['postgresql']?.volumes).toEqual([
      'postgresql:/var/lib/postgresql/data',
    ]);
    const restarting = services.filter(([, { restart }]) => restart === 'unless-stopped');
    expect(restarting.map(([name]) => name)).toEqual(['postgresql', 'temporal', 'ui']);
  });

  it('uses PostgreSQL for visibility, so that nothing else has to run', () => {
    const environment = compose.services['temporal']?.environment;
    expect(environment).toMatchObject({ DB: 'postgres12', POSTGRES_SEEDS: 'postgresql' });
    expect(environment).not.toHaveProperty('ENABLE_ES');
  });

  it('has one password for all who know it', () => {
    const { postgresql, schema, temporal } = compose.services;
    const password = postgresql?.environment?.['POSTGRES_PASSWORD'];
    expect(password).toBeTypeOf('string');
    expect(schema?.environment?.['SQL_PASSWORD']).toBe(password);
    expect(temporal?.environment?.['POSTGRES_PWD']).toBe(password);
  });

  it('shows the server a dynamic configuration that it can read', () => {
    const { content } = compose.configs['dynamic_config'] ?? { content: '' };
    const target = compose.services['temporal']?.configs?.[0]?.target;
    expect(compose.services['temporal']?.environment?.['DYNAMIC_CONFIG_FILE_PATH']).toBe(target);
    expect(parse(content)).toEqual({
      'matching.numTaskqueueReadPartitions': [{ value: 1 }],
      'matching.numTaskqueueWritePartitions': [{ value: 1 }],
      'matching.enableFairness': [{ value: true }],
      'frontend.httpAllowedHosts': [{ value: [] }],
      'system.enableNexus': [{ value: false }],
    });
  });
});

/** Runs a job's script as its container would, with stand-ins for the tools that note what they are asked. */
async function runJob(name: string, tools: Record<string, string>): Promise<string[]> {
  const { path: folder, remove } = testFolder('compose');
  onTestFinished(remove);
  const log = path.join(folder, 'log');
  await writeFile(log, '');
  for (const [tool, body] of Object.entries(tools)) {
    const target = path.join(folder, tool);
    await writeFile(target, `#!/bin/sh\necho "${tool} $*" >> "${log}"\n${body}\n`);
    await chmod(target, 0o755);
  }
  const { entrypoint = [], command = [], environment = {} } = compose.services[name] ?? {};
  const [shell = '', ...words] = [...entrypoint, ...command].map(interpolate);
  const env: Record<string, string> = { FOLDER: folder, PATH: `${folder}:/usr/bin:/bin` };
  for (const [key, value] of Object.entries(environment)) env[key] = interpolate(String(value));
  const code = await promisify(execFile)(shell, words, { env }).then(
    () => 0,
    (error: unknown) => (error as { code: number }).code,
  );
  return [...(await readFile(log, 'utf8')).trimEnd().split('\n'), `exit ${String(code)}`];
}

describe('the jobs of docker-compose.temporal.yml', () => {
  it('bring both databases to the version of the image', async () => {
    const schemas = '/etc/temporal/schema/postgresql/v12';
    expect(await runJob('schema', { 'temporal-sql-tool': '' })).toEqual([
      'temporal-sql-tool --db temporal create',
      'temporal-sql-tool --db temporal setup-schema -v 0.0',
      `temporal-sql-tool --db temporal update-schema -d ${schemas}/temporal/versioned`,
      'temporal-sql-tool --db temporal_visibility create',
      'temporal-sql-tool --db temporal_visibility setup-schema -v 0.0',
      `temporal-sql-tool --db temporal_visibility update-schema -d ${schemas}/visibility/versioned`,
      'exit 0',
    ]);
  });

  it('stop at the first step that fails, so that the server does not start on half a schema', async () => {
    const lines = await runJob('schema', {
      'temporal-sql-tool': 'case "$*" in *setup*) exit 3;; esac',
    });
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('exit 3');
  });

  /** What jobs are listed by. */
  const attributes = [
    'ClipModel --type Keyword',
    'ClipStatus --type Keyword',
    'ClipSimulated --type Bool',
    'ClipLabels --type KeywordList',
  ].map((of) => `temporal operator search-attribute create --namespace default --name ${of}`);

  it('create the namespace once the server answers, and end when it can be used', async () => {
    const slow = `case "$*" in
      *describe*) exit 1;;
      *health) test "$(wc -l < "$FOLDER/log")" -ge 3;;
      *list*) test "$(wc -l < "$FOLDER/log")" -ge 8;;
    esac`;
    expect(await runJob('namespace', { temporal: slow, sleep: '' })).toEqual([
      'temporal operator cluster health',
      'sleep 1',
      'temporal operator cluster health',
      'temporal operator namespace describe --namespace default',
      'temporal operator namespace create --namespace default --retention 720h',
      'temporal workflow list --namespace default --limit 1',
      'sleep 1',
      'temporal workflow list --namespace default --limit 1',
      ...attributes,
      'exit 0',
    ]);
  });

  it('leave a namespace that exists as it is', async () => {
    expect(await runJob('namespace', { temporal: '', sleep: '' })).toEqual([
      'temporal operator cluster health',
      'temporal operator namespace describe --namespace default',
      'temporal workflow list --namespace default --limit 1',
      ...attributes,
      'exit 0',
    ]);
  });

  it('give up on a server that never answers', async () => {
    const lines = await runJob('namespace', { temporal: 'exit 1', sleep: '' });
    expect(lines.at(-1)).toBe('exit 1');
    expect(lines.filter((line) => line.endsWith('health'))).toHaveLength(60);
  });
});
