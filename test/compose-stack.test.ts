/**
 * docker-compose.yml without a Docker engine: the promises of its structure. That it really runs is tested by
 * `npm run test:containers`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config.js';
import { testFolder } from './support/test-folder.js';

interface Service {
  image: string;
  user?: string;
  init?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  privileged?: boolean;
  restart?: string;
  stop_grace_period?: string;
  tmpfs?: string[];
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  secrets?: string[];
  volumes?: string[];
  ports?: string[];
  deploy?: { replicas: number };
}

interface Compose {
  include?: string[];
  services: Record<string, Service>;
  volumes: Record<string, null>;
  secrets: Record<string, { file: string }>;
}

const textOf = (name: string): string =>
  readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const read = (name: string): Compose =>
  parse(textOf(name), { merge: true, uniqueKeys: true, strict: true }) as Compose;

const compose = read('docker-compose.yml');
const included = (compose.include ?? []).map(read);
const services = Object.entries(compose.services);
const all = Object.assign({}, ...included.map((file) => file.services), compose.services) as Record<
  string,
  Service
>;
const { version } = JSON.parse(textOf('package.json')) as { version: string };

/** As Compose does where no variable is set. */
const unset = (value: string): string =>
  value.replace(/\$\{\w+:-([^}]*)\}/g, (_found, fallback: string) => fallback);

const own = services.filter(([, { image }]) => image.startsWith('clip-generator:'));
const ROLES = ['worker', 'api', 'simulator'];
const variables = [
  ...new Set(['worker', 'api'].flatMap((name) => Object.keys(all[name]?.environment ?? {}))),
];

describe('docker-compose.yml', () => {
  it('includes the Temporal part, and starts the roles of the image', () => {
    expect(compose.include).toEqual(['docker-compose.temporal.yml']);
    expect(own.map(([name]) => name).sort()).toEqual([...ROLES, 'keys'].sort());
    for (const role of ROLES) expect(all[role]?.command).toEqual([role]);
    expect(all['worker']?.deploy?.replicas).toBe(2);
  });

  it.each(Object.entries(all))('pins the image of %s by version', (_name, { image }) => {
    expect(unset(image)).toMatch(/^[a-z/-]+:v?\d+\.\d+(?:\.\d+)?(?:-alpine)?$/);
  });

  it('names its own image as the package is released', () => {
    for (const [, { image }] of own) expect(unset(image)).toBe(`clip-generator:${version}`);
  });

  it.each(services)('gives %s no more rights than it needs', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service.user).toBeUndefined();
    expect(service.privileged).toBeUndefined();
  });

  it.each(own)(
    'gives %s an init process, a place for scratch files and time to stop',
    (_name, service) => {
      expect(service.init).toBe(true);
      expect(service.tmpfs).toEqual(['/tmp']);
      expect(parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThan(30);
      expect(service.stop_grace_period).toMatch(/^\d+s$/);
    },
  );

  it.each(services)(
    'restarts %s, and starts it when what it needs is healthy',
    (_name, service) => {
      expect(service.restart).toMatch(/^unless-stopped$|^on-failure:\d+$/);
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        const other = all[name];
        expect(other, name).toBeDefined();
        const endsByItself = other?.restart?.startsWith('on-failure') === true;
        expect(condition).toBe(endsByItself ? 'service_completed_successfully' : 'service_healthy');
        // The image has a health check of its own.
        const isOwn = own.some(([own]) => own === name);
        if (!endsByItself && !isOwn) expect(other?.healthcheck?.test).toBeDefined();
      }
    },
  );

  it.each(['worker', 'api'])(
    'lets %s wait for Temporal, the bucket, the keys and the simulator',
    (name) => {
      expect(Object.keys(all[name]?.depends_on ?? {}).sort()).toEqual(
        ['bucket', 'keys', 'namespace', 'simulator'].sort(),
      );
    },
  );

  it('publishes on loopback only, and never the bucket', () => {
    for (const [name, { ports = [] }] of Object.entries(all)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
    expect(all['bucket']?.ports).toBeUndefined();
  });

  it('sets only variables that are documented', () => {
    const documented = [...textOf('.env.example').matchAll(/^# (\w+)=/gm)].map(([, name]) => name);
    // The AWS SDK reads its own.
    const own = variables.filter((name) => !name.startsWith('AWS_'));
    expect(documented).toEqual(expect.arrayContaining(own));
  });

  it('gives API and workers a configuration that is accepted, with keys, and without a token the simulator', () => {
    const { path: folder, remove } = testFolder('compose-stack');
    onTestFinished(remove);
    const keys = path.join(folder, 'api_keys');
    writeFileSync(keys, 'a-key-of-more-than-16-characters');
    const environment = Object.entries(all['api']?.environment ?? {}).map(
      ([name, value]): [string, string] => [name, unset(value)],
    );
    const config = loadConfig({
      ...Object.fromEntries(environment),
      DATA_DIR: folder,
      API_KEYS_FILE: keys,
      REPLICATE_API_TOKEN_FILE: '/dev/null',
    });
    expect(config.api.keys).toHaveLength(1);
    expect(config.replicate).toMatchObject({
      simulated: true,
      base_url: 'http://simulator:8288/v1',
    });
    expect(config.temporal.address).toBe('temporal:7233');
    expect(config.storage).toMatchObject({ url: 's3://clips', endpoint: 'http://bucket:7070' });
  });

  it('gives worker and API the same settings', () => {
    expect(all['worker']?.environment).toEqual(all['api']?.environment);
  });

  it('needs no variable to be set, and takes the token by environment or by file', () => {
    const text = textOf('docker-compose.yml').replaceAll('$$', '');
    for (const [found, fallback] of text.matchAll(/\$\{\w+(:-[^}]*)?\}/g)) {
      expect(fallback, found).toBeDefined();
    }
    const variable = (text = ''): string => /^\$\{(\w+):-/.exec(text)?.[1] ?? '';
    const { file } = compose.secrets['replicate_api_token'] ?? {};
    expect(variable(file)).toBe('REPLICATE_API_TOKEN_FILE');
    expect(variable(all['api']?.environment?.['REPLICATE_API_TOKEN'])).toBe('REPLICATE_API_TOKEN');
  });

  it('declares every volume and secret that is used, and no other', () => {
    const used = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0]),
    );
    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort());
    const secrets = services.flatMap(([, { secrets = [] }]) => secrets);
    expect([...new Set(secrets)].sort()).toEqual(Object.keys(compose.secrets).sort());
  });
});

describe('the keys of the stack', () => {
  const script = fileURLToPath(new URL('../setup/api-keys.mjs', import.meta.url));
  const KEY = 'a-key-of-more-than-16-characters';

  function made(file: string, env: Record<string, string> = {}): string {
    const said = execFileSync(process.execPath, [script, file], { env, encoding: 'utf8' });
    expect(said).toBe('');
    return readFileSync(file, 'utf8').trim();
  }

  function place(): string {
    const { path: folder, remove } = testFolder('keys');
    onTestFinished(remove);
    mkdirSync(folder, { recursive: true });
    return path.join(folder, 'api_keys');
  }

  it('are made once, are taken by the program, and are for its user alone', () => {
    const file = place();
    const first = made(file);
    expect(made(file)).toBe(first);
    expect(loadConfig({ API_KEYS_FILE: file }).api.keys).toEqual([first]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(made(place())).not.toBe(first);
  });

  it('are those that are given, from the variable or its file', () => {
    const file = place();
    made(file);
    expect(made(file, { API_KEYS: KEY })).toBe(KEY);
    const given = place();
    writeFileSync(given, `${KEY}2\n`);
    expect(made(file, { API_KEYS: '', API_KEYS_FILE: given })).toBe(`${KEY}2`);
    expect(made(file, { API_KEYS_FILE: '/dev/null' })).toBe(`${KEY}2`);
  });
});
