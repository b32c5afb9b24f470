/** The environment is read once, checked whole, and documented to the last variable; a secret is never repeated. */
import fc from 'fast-check';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadClientConfigProfile } from '@temporalio/envconfig';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, loadConfig } from '../src/config.js';
import { lifeCycleOf } from '../src/domain/models/life-cycle.js';
import { CATALOGUE } from '../src/domain/models/index.js';
import { testFolder } from './support/test-folder.js';

type Env = Record<string, string>;

/** An environment that notes which names were asked for. */
function recording(env: Env, names: Set<string>): Env {
  return new Proxy(env, {
    get(target, name) {
      if (typeof name === 'string') names.add(name);
      return Reflect.get(target, name) as string | undefined;
    },
  });
}

/** Read by the SDK, but without effect on a connection of the TypeScript client. */
const WITHOUT_EFFECT = [
  'TEMPORAL_CODEC_ENDPOINT',
  'TEMPORAL_CODEC_AUTH',
  'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION',
];

function namesRead(): string[] {
  const names = new Set<string>();
  loadConfig(recording({}, names));
  loadConfig(recording({ REPLICATE_API_TOKEN: 'r8_x' }, names));
  const folder = temporaryFolder();
  const file = path.join(folder, 'temporal.toml');
  writeFileSync(file, '[profile.default]\n');
  loadClientConfigProfile({ overrideEnvVars: recording({ TEMPORAL_CONFIG_FILE: file }, names) });
  // Proxies have a paragraph of their own, in lower case.
  return [...names]
    .filter((name) => !WITHOUT_EFFECT.includes(name) && !/_proxy$/i.test(name))
    .sort();
}

function temporaryFolder(): string {
  const { path: folder, remove } = testFolder('config');
  onTestFinished(remove);
  return folder;
}

/** Name → example value of every documented line. */
function documented(): Map<string, string> {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const lines = text.matchAll(/^# ([A-Z][A-Z0-9_]*)=(.*)$/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]));
}

function refusal(env: Env): ConfigError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`expected a refusal of ${JSON.stringify(env)}`);
}

describe('.env.example', () => {
  it('names every variable that is read, and no other', () => {
    expect([...documented().keys()].sort()).toEqual(namesRead());
  });

  it('shows the defaults: setting all of them changes nothing', () => {
    const shown = Object.fromEntries(documented());
    // Replicate's address is a default that needs a token too.
    delete shown['REPLICATE_BASE_URL'];
    expect(loadConfig(shown)).toEqual(loadConfig({}));
    const token = { REPLICATE_API_TOKEN: 'r8_x' };
    const url = documented().get('REPLICATE_BASE_URL') ?? '';
    expect(loadConfig({ ...token, REPLICATE_BASE_URL: url })).toEqual(loadConfig(token));
  });
});

describe('loadConfig', () => {
  it.each([
    ['PORT', '0', /PORT: expected a number from 1 to 65535, got "0"/],
    ['PORT', '3000.5', /PORT: expected a whole number/],
    ['PORT', '80a', /PORT: expected .* got "80a"/],
    ['TEMPORAL_PORT', '70000', /TEMPORAL_PORT: expected .* got "70000"/],
    ['TEMPORAL_UI_PORT', '-1', /TEMPORAL_UI_PORT: /],
    ['SIMULATOR_PORT', '1e3', /SIMULATOR_PORT: /],
    ['SIMULATOR_SPEED', '0', /SIMULATOR_SPEED: expected a number from 0.1 to 10000/],
    ['VIDEO_GENERATOR_DURATION_BUFFER', '2.01', /VIDEO_GENERATOR_DURATION_BUFFER: .*from 1 to 2/],
    ['VIDEO_GENERATOR_DURATION_BUFFER', 'NaN', /VIDEO_GENERATOR_DURATION_BUFFER: /],
    ['VIDEO_GENERATOR_DURATION_BUFFER', '0x1', /VIDEO_GENERATOR_DURATION_BUFFER: /],
    ['REPLICATE_CREATES_PER_MINUTE', '601', /REPLICATE_CREATES_PER_MINUTE: /],
    ['API_REQUESTS_PER_MINUTE', '59', /API_REQUESTS_PER_MINUTE: expected a number from 60/],
    ['REFERENCE_ALLOW_HOSTS', 'ok.example,http://nas.local', /REFERENCE_ALLOW_HOSTS: .*nas\.local/],
    ['REFERENCE_ALLOW_HOSTS', '*.local', /REFERENCE_ALLOW_HOSTS: expected hosts/],
    ['ALLOWED_HOSTS', 'https://clips.example', /ALLOWED_HOSTS: expected hosts/],
    ['ALLOWED_HOSTS', 'clips.example, two words', /ALLOWED_HOSTS: .*"two words"/],
    ['REPLICATE_WEBHOOK_URL', 'http://a.example', /REPLICATE_WEBHOOK_URL: .*https:/],
    ['STORAGE_URL', 'https://clips.example', /STORAGE_URL: expected s3:\/\/bucket or /],
    ['STORAGE_URL', 's3://Clips', /STORAGE_URL: expected .* got "s3:\/\/Clips"/],
    ['STORAGE_URL', 's3://', /STORAGE_URL: expected s3:/],
    ['STORAGE_URL', 's3://clips/a//b', /STORAGE_URL: expected s3:/],
    ['STORAGE_URL', 's3://clips/../b', /STORAGE_URL: expected s3:/],
    ['STORAGE_URL', 's3://key:secret@clips/b', /STORAGE_URL: expected .* got "s3:\/\/…@clips\/b"/],
    ['S3_ENDPOINT', '127.0.0.1:9000', /S3_ENDPOINT: expected a URL starting with http:/],
    ['S3_FORCE_PATH_STYLE', 'yes', /S3_FORCE_PATH_STYLE: expected one of true, false/],
    ['STORAGE_REDIRECTS', 'true', /STORAGE_REDIRECTS: expected STORAGE_URL beside it/],
    ['LOG_LEVEL', 'loud', /LOG_LEVEL: expected one of trace, debug, info, warn, error, got "loud"/],
    ['HOST', '0.0.0.0', /API_KEYS: expected at least one key because HOST is "0.0.0.0"/],
    ['HOST', 'a.localhost', /API_KEYS: expected at least one key because HOST is "a.localhost"/],
    ['REPLICATE_BASE_URL', 'https://a.example/v1', /REPLICATE_BASE_URL: .*REPLICATE_API_TOKEN/],
    ['REPLICATE_BASE_URL', 'https://a.example', /REPLICATE_BASE_URL: .*ends in \/v1/],
    ['REPLICATE_BASE_URL', 'ftp://a.example/v1', /REPLICATE_BASE_URL: .*https:/],
    ['TEMPORAL_ADDRESS', 'http://a.example:7233', /TEMPORAL_ADDRESS: expected host:port/],
    ['TEMPORAL_ADDRESS', 'a.example:', /TEMPORAL_ADDRESS: expected host:port, got "a.example:"/],
    ['TEMPORAL_TLS', 'TRUE', /TEMPORAL_TLS: expected one of true, false, 1, 0, got "TRUE"/],
    ['TEMPORAL_CONFIG_FILE', '/nowhere/temporal.toml', /TEMPORAL_CONFIG_FILE: /],
    ['TEMPORAL_TLS_CLIENT_CERT_PATH', '/nowhere/cert.pem', /TEMPORAL_TLS_CLIENT_CERT_PATH: /],
    ['TEMPORAL_TLS_CLIENT_KEY_PATH', '/tmp', /TEMPORAL_TLS_CLIENT_KEY_PATH: .*it is a folder/],
    ['TEMPORAL_TLS_SERVER_CA_CERT_PATH', '/dev/null', /CA_CERT_PATH: expected certificates in PEM/],
    ['TEMPORAL_TLS_SERVER_CA_CERT_DATA', 'junk', /CA_CERT_DATA: expected certificates in PEM/],
    ['TEMPORAL_TLS_CLIENT_KEY_DATA', 'junk', /CLIENT_KEY_DATA: expected a private key in PEM/],
    ['TEMPORAL_TLS_SERVER_NAME', 'a b', /TEMPORAL_TLS_SERVER_NAME: expected a host name/],
    ['TEMPORAL_ADDRESS', 'a.example:70000', /TEMPORAL_ADDRESS: expected host:port/],
    ['TEMPORAL_NAMESPACE', 'two words', /TEMPORAL_NAMESPACE: expected .* got "two words"/],
    ['TEMPORAL_NAMESPACE', 'n'.repeat(256), /TEMPORAL_NAMESPACE: expected 1 to 255 characters/],
    ['TEMPORAL_TASK_QUEUE', 'a\tb', /TEMPORAL_TASK_QUEUE: expected .* got "a\\tb"/],
    ['TEMPORAL_TASK_QUEUE', 'q'.repeat(251), /TEMPORAL_TASK_QUEUE: expected 1 to 250 characters/],
    [
      'TEMPORAL_CLI',
      '/nowhere/temporal',
      /TEMPORAL_CLI: expected the path of a .temporal. program/,
    ],
    ['TEMPORAL_CLI', '/tmp', /TEMPORAL_CLI: /],
    ['TEMPORAL_CONFIG_FILE', '/tmp', /TEMPORAL_CONFIG_FILE: .*it is a folder/],
    ['TEMPORAL_PROFILE', 'none', /TEMPORAL_PROFILE: .*none/],
    ['HOST', 'http://127.0.0.1', /HOST: expected an address or a host name/],
    ['HOST', '127.0.0.1:3000', /HOST: /],
    ['HOST', '127.0.0.256', /HOST: /],
    ['HOST', '*', /HOST: /],
    ['WORKER_HTTP_PORT', '0x', /WORKER_HTTP_PORT: /],
    ['WORKER_HTTP_PORT', '3000', /WORKER_HTTP_PORT: .* which is PORT too/],
    ['PORT', '8288', /SIMULATOR_PORT: expected a port of its own, got 8288, which is PORT too/],
    ['TEMPORAL_PORT', '3000', /TEMPORAL_PORT: expected a port of its own, got 3000/],
    ['TEMPORAL_UI_PORT', '7233', /TEMPORAL_UI_PORT: .* which is TEMPORAL_PORT too/],
    ['DATA_DIR', '/dev/null', /DATA_DIR: expected a folder that can be written, got "\/dev\/null"/],
    ['DATA_DIR', '/dev/null/data', /DATA_DIR: /],
    ['VIDEO_GENERATOR_MODEL', 'nobody/nothing', /VIDEO_GENERATOR_MODEL: .* got "nobody\/nothing"/],
    ['VIDEO_GENERATOR_MODEL', 'kwaivgi/kling-v2.5-turbo', /such as kwaivgi\/kling-v2.5-turbo-pro/],
    ['MODEL_CATALOGUE', '/nowhere/models.json', /MODEL_CATALOGUE: .*there is no such file/],
    ['REPLICATE_WEBHOOK_URL', 'https://a.example/\nx', /REPLICATE_WEBHOOK_URL: .*a.example/],
    ['REFERENCE_ALLOW_HOSTS', 'a.example:99999', /REFERENCE_ALLOW_HOSTS: expected hosts/],
    ['REFERENCE_ALLOW_HOSTS', 'a..b', /REFERENCE_ALLOW_HOSTS: expected hosts/],
    ['WORKER_SLOTS', '3', /WORKER_SLOTS: expected a number from 4 to 2000, got "3"/],
    ['WORKER_SLOTS', '10.5', /WORKER_SLOTS: expected a whole number from 4 to 2000/],
    ['WORKER_CACHED_WORKFLOWS', '9', /WORKER_CACHED_WORKFLOWS: /],
    ['WORKER_HEARTBEAT', '4', /WORKER_HEARTBEAT: expected a number from 0.2 to 3/],
    ['WORKER_GRACE', '4', /WORKER_GRACE: expected a number from 5 to 3600/],
    ['TEMPORAL_DEPLOYMENT_NAME', 'clips', /^TEMPORAL_DEPLOYMENT_NAME: expected TEMPORAL_BUILD_ID/],
    ['TEMPORAL_DEPLOYMENT_NAME', 'a.b', /TEMPORAL_DEPLOYMENT_NAME: expected .* got "a.b"/],
    ['TEMPORAL_BUILD_ID', '1.2.0', /^TEMPORAL_BUILD_ID: expected TEMPORAL_DEPLOYMENT_NAME/],
    ['TEMPORAL_BUILD_ID', 'a:b', /TEMPORAL_BUILD_ID: expected .* got "a:b"/],
    ['CODEC_ORIGINS', 'https://ui.example/', /CODEC_ORIGINS: expected origins/],
    ['CODEC_ORIGINS', '*', /CODEC_ORIGINS: expected origins/],
    ['SIMULATOR_SPEED', '20x', /SIMULATOR_SPEED: expected a number/],
  ])('refuses %s=%s in one line that names the variable', (name, value, message) => {
    const { message: text } = refusal({ [name]: value });
    expect(text).toMatch(message);
    expect(text).not.toContain('\n');
  });

  it('accepts equal ports of which only one is used', () => {
    const given = { TEMPORAL_ADDRESS: 'a.example:7233', REPLICATE_API_TOKEN: 'r8_x' };
    for (const port of ['7233', '8233', '8288']) {
      expect(loadConfig({ ...given, PORT: port }).api.port).toBe(Number(port));
    }
  });

  it('has a default model that is active, needs only a text, and has a seed or is cheap', () => {
    const { default_model: id, catalogue } = loadConfig({});
    const row = catalogue.get(id);
    if (row === undefined) throw new Error(`expected a row of ${id}, got none`);
    expect(lifeCycleOf(row).status).toBe('active');
    const needed = Object.entries(row.inputs).filter(([, { required }]) => required === true);
    expect(row.prompt).not.toBeNull();
    expect(needed.filter(([name]) => name !== row.prompt)).toEqual([]);
    const isCheap = row.prices.some(({ usd, per }) => per === 'second' && usd <= 0.05);
    expect(row.seed !== null || isCheap).toBe(true);
  });

  it('does not start on a default model that was retired, and names its successor', () => {
    const file = path.join(temporaryFolder(), 'models.json');
    const { default_model: id } = loadConfig({});
    const successor = 'google/veo-3.1';
    const life_cycle = { status: 'retired', since: '2026-11-01', successor, source: 'a test' };
    writeFileSync(file, JSON.stringify({ models: [{ ...CATALOGUE.get(id), life_cycle }] }));
    const { message } = refusal({ MODEL_CATALOGUE: file });
    expect(message).toMatch(/^VIDEO_GENERATOR_MODEL: expected a model that is not retired/);
    expect(message).toContain(successor);
    expect(message).not.toContain('\n');
    const other = { MODEL_CATALOGUE: file, VIDEO_GENERATOR_MODEL: successor };
    expect(loadConfig(other).default_model).toBe(successor);
  });

  it('takes a default model that only MODEL_CATALOGUE has', () => {
    const file = path.join(temporaryFolder(), 'models.json');
    const [row] = [...CATALOGUE.values()];
    writeFileSync(file, JSON.stringify({ models: [{ ...row, id: 'me/my-model' }] }));
    const env = { VIDEO_GENERATOR_MODEL: 'me/my-model' };
    expect(loadConfig({ ...env, MODEL_CATALOGUE: file }).default_model).toBe('me/my-model');
    expect(refusal(env).message).toMatch(/VIDEO_GENERATOR_MODEL/);
  });

  it('changes nothing on the disk', () => {
    const folder = temporaryFolder();
    loadConfig({ DATA_DIR: path.join(folder, 'a/b') });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes an empty or blank value as unset', () => {
    const blank = Object.fromEntries([...documented().keys()].map((name) => [name, '  ']));
    expect(loadConfig(blank)).toEqual(loadConfig({}));
  });

  it.each([
    ['simulator', 'http://simulator:8288/v1'],
    ['::1', 'http://[::1]:8288/v1'],
  ])('asks for the simulator where it listens, at %s', (host, url) => {
    const { simulator, replicate } = loadConfig({ SIMULATOR_HOST: host });
    expect([simulator.host, replicate.base_url, replicate.simulated]).toEqual([host, url, true]);
  });

  it('uses the simulator exactly when there is no token', () => {
    const without = loadConfig({ SIMULATOR_PORT: '9000' }).replicate;
    expect(without).toMatchObject({ simulated: true, base_url: 'http://127.0.0.1:9000/v1' });
    const withToken = loadConfig({ REPLICATE_API_TOKEN: ' r8_x ' }).replicate;
    expect(withToken).toEqual({
      simulated: false,
      token: 'r8_x',
      base_url: 'https://api.replicate.com/v1',
    });
  });

  it('never repeats a secret that it refuses', () => {
    const secrets: Env[] = [
      { REPLICATE_API_TOKEN: 'r8_se cret' },
      { REPLICATE_API_TOKEN: 'r8_x', REPLICATE_BASE_URL: 'https://me:se cret@a.example/v1' },
      { REPLICATE_API_TOKEN: 'r8_x', REPLICATE_BASE_URL: 'https://me:secret@a.example/v1' },
      { REPLICATE_API_TOKEN: 'r8_x', REPLICATE_BASE_URL: 'https://:secret@a.example/v1' },
    ];
    for (const env of secrets) expect(refusal(env).message).not.toMatch(/se ?cret/);
  });

  const codecKey = (byte: number): string => Buffer.alloc(32, byte).toString('base64');

  it('takes codec keys in their order, the first to encrypt', () => {
    const { codec_keys } = loadConfig({ CODEC_KEYS: ` b:${codecKey(2)}, a.1:${codecKey(1)} ` });
    expect(codec_keys).toEqual([
      { id: 'b', key: Buffer.alloc(32, 2) },
      { id: 'a.1', key: Buffer.alloc(32, 1) },
    ]);
  });

  it.each([
    ['has no id', codecKey(7)],
    ['has another length', `a:${Buffer.alloc(31, 7).toString('base64')}`],
    ['is not base64', `a:${'!'.repeat(43)}=`],
    ['has the id of another', `a:${codecKey(7)},a:${codecKey(8)}`],
  ])('refuses a codec key that %s, and never shows it', (_why, keys) => {
    const { message } = refusal({ CODEC_KEYS: keys });
    expect(message).toMatch(/^CODEC_KEYS: expected keys as id:key/);
    expect(message).not.toContain(keys.slice(2, 20));
    expect(message).not.toContain('\n');
  });

  it('versions workers exactly when both words of a version are given', () => {
    expect(loadConfig({}).worker.version).toBeNull();
    const given = { TEMPORAL_DEPLOYMENT_NAME: 'clips', TEMPORAL_BUILD_ID: '1.2.0+7f' };
    expect(loadConfig(given).worker.version).toEqual({ deployment: 'clips', build_id: '1.2.0+7f' });
  });

  const KEY_CHARACTERS = Array.from({ length: 0x7e - 0x20 }, (_, index) =>
    String.fromCharCode(0x21 + index),
  ).filter((character) => character !== ',');
  const goodKey = fc.string({
    unit: fc.constantFrom(...KEY_CHARACTERS),
    minLength: 16,
    maxLength: 100,
  });

  it('accepts several keys, each once, and any host once there is one', () => {
    fc.assert(
      fc.property(goodKey, goodKey, (one, two) => {
        const { api } = loadConfig({ HOST: '0.0.0.0', API_KEYS: ` ${one}, ${two},,${one}` });
        expect(api).toMatchObject({ host: '0.0.0.0', keys: [...new Set([one, two])] });
      }),
    );
  });

  it('refuses keys that are short, or that no header can carry, and never shows one', () => {
    const bad = fc.oneof(
      goodKey.map((key) => key.slice(0, 15)),
      fc
        .tuple(goodKey, fc.constantFrom(' ', '\t', '\n', '\0', '\u007f', 'é', '鍵', '\u{1f511}'))
        .map(([key, odd]) => key.slice(0, 8) + odd + key.slice(8)),
      goodKey.map((key) => key.repeat(100)).filter((key) => key.length > 1024),
    );
    fc.assert(
      fc.property(goodKey, bad, fc.boolean(), (good, key, isFirst) => {
        const keys = isFirst ? `${key},${good}` : `${good},${key}`;
        const { message } = refusal({ API_KEYS: keys });
        expect(message).toMatch(/^API_KEYS: expected keys of 16 to 1,024 printable ASCII/);
        expect(message).not.toContain('\n');
        for (const secret of key.length > 3 ? [key, good] : [good]) {
          expect(message).not.toContain(secret);
        }
      }),
    );
  });

  it.each(['127.0.0.1', '127.8.8.8', 'localhost', '::1'])(
    'asks for no key while HOST is %s',
    (host) => {
      expect(loadConfig({ HOST: host }).api.keys).toEqual([]);
    },
  );

  it('takes hosts of references with and without a port, in any case', () => {
    const hosts = ' NAS.local:9000, 10.0.0.7 ,::1,[::1]:80';
    expect(loadConfig({ REFERENCE_ALLOW_HOSTS: hosts }).reference_allow_hosts).toEqual([
      'nas.local:9000',
      '10.0.0.7',
      '::1',
      '[::1]:80',
    ]);
  });

  it('allows no name besides loopback without keys, and those of ALLOWED_HOSTS when it is set', () => {
    expect(loadConfig({}).api.allowed_hosts).toEqual([]);
    const { api } = loadConfig({ ALLOWED_HOSTS: 'Clips.Example, nas.local:3000' });
    expect(api.allowed_hosts).toEqual(['clips.example', 'nas.local:3000']);
  });

  it('runs its own server exactly when no address is given', () => {
    expect(loadConfig({ TEMPORAL_PORT: '7300' }).temporal).toMatchObject({
      embedded: true,
      address: '127.0.0.1:7300',
      connection: { address: '127.0.0.1:7300' },
    });
    const given = { TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_PORT: '7300' };
    expect(loadConfig(given).temporal).toMatchObject({
      embedded: false,
      address: 'temporal.example:7233',
    });
  });

  it('hands key, TLS and headers to the connection as the SDK reads them', () => {
    const { connection, namespace } = loadConfig({
      TEMPORAL_ADDRESS: 'cloud.example:7233',
      TEMPORAL_NAMESPACE: 'clips.a1b2',
      TEMPORAL_API_KEY: 'key',
      TEMPORAL_GRPC_META_TEAM: 'films',
    }).temporal;
    expect(namespace).toBe('clips.a1b2');
    expect(connection).toMatchObject({ apiKey: 'key', tls: true, metadata: { team: 'films' } });
    const plain = loadConfig({ TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'key' }).temporal;
    expect(plain.connection.tls).toBe(false);
  });

  it('rounds a number like those of a plan, before it is compared with its limits', () => {
    const bufferOf = (text: string) =>
      loadConfig({ VIDEO_GENERATOR_DURATION_BUFFER: text }).duration_buffer;
    expect(
      ['2.0000000000000004', '1.2000000000000002', '0.9999999999999999'].map(bufferOf),
    ).toEqual([2, 1.2, 1]);
  });

  it('reads a profile only when one is asked for', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'temporal.toml');
    writeFileSync(
      file,
      '[profile.default]\naddress = "a:1"\n[profile.films]\naddress = "b:2"\nnamespace = "films"\n',
    );
    expect(loadConfig({ TEMPORAL_CONFIG_FILE: file }).temporal.address).toBe('a:1');
    const films = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'films' };
    expect(loadConfig(films).temporal).toMatchObject({ address: 'b:2', namespace: 'films' });
    const home = path.join(folder, '.config', 'temporalio');
    expect(loadConfig({ HOME: folder, XDG_CONFIG_HOME: home }).temporal.embedded).toBe(true);
    expect(refusal({ ...films, TEMPORAL_PROFILE: 'other' }).message).toMatch(/TEMPORAL_.*other/);
  });
});
