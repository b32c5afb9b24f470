/**
 * The only reader of the environment. Every setting is checked here once, before anything starts;
 * a bad value is one sentence that names its variable (ConfigError, exit 2). An empty value counts as unset.
 * Values of secrets never appear in a message.
 */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface Config {
  replicate: {
    token: string;
    /** Ends in /v1, no trailing slash. */
    base_url: string;
    /** No token was given: the local simulator plays Replicate. */
    simulated: boolean;
  };
  simulator: { port: number; speed: number };
  temporal: {
    connection: ConnectionOptions;
    address: string;
    /** No address was given: `start` and `generate` run their own server. */
    embedded: boolean;
    namespace: string;
    task_queue: string;
    port: number;
    ui_port: number;
    cli: string | null;
  };
  api: { host: string; port: number; keys: string[] };
  data_dir: string;
  default_model: string;
  duration_buffer: number;
  model_catalogue: string | null;
  reference_allow_hosts: string[];
  creates_per_minute: number;
  webhook_url: string | null;
  log_level: LogLevel;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const REPLICATE_URL = 'https://api.replicate.com/v1';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);
export const isLoopback = (host: string): boolean =>
  LOOPBACK.has(host.toLowerCase()) || /^127(\.\d{1,3}){3}$/.test(host);

const ADDRESS = /^(\[[\da-f:]+\]|[^\s/:@]+)(:\d{1,5})?$/i;

type Env = Readonly<Record<string, string | undefined>>;

const fail = (name: string, expected: string, got: string): never => {
  throw new ConfigError(`${name}: expected ${expected}, got "${got}".`);
};

class Reader {
  readonly #env: Env;
  constructor(env: Env) {
    this.#env = env;
  }
  text(name: string): string | null {
    const value = this.#env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }
  number(name: string, fallback: number, [min, max]: readonly [number, number]): number {
    const value = this.text(name);
    if (value === null) return fallback;
    const number = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) {
      return fail(name, `a number from ${String(min)} to ${String(max)}`, value);
    }
    return number;
  }
  port(name: string, fallback: number): number {
    const port = this.number(name, fallback, [1, 65_535]);
    return Number.isInteger(port)
      ? port
      : fail(name, 'a whole number from 1 to 65535', String(port));
  }
  list(name: string): string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  /** `host` or `host:port`, never a URL or a pattern: what does not fit would silently allow nothing. */
  hosts(name: string): string[] {
    return this.list(name).map((item) =>
      /^(\[[\da-f:.]+\]|[^\s/:@*?#]+)(:\d{1,5})?$/i.test(item) || isIP(item) === 6
        ? item.toLowerCase()
        : fail(name, 'hosts, each as host or host:port, separated by commas', item),
    );
  }
  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const value = this.text(name) ?? fallback;
    return (
      values.find((item) => item === value) ?? fail(name, `one of ${values.join(', ')}`, value)
    );
  }
  url(name: string, protocols: readonly string[]): string | null {
    const value = this.text(name);
    if (value === null) return null;
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url === null || !protocols.includes(url.protocol) || url.username + url.password !== '') {
      return fail(
        name,
        `a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}, without a name or password in it`,
        value.replace(/\/\/.*@/s, '//…@'),
      );
    }
    return value.replace(/\/+$/, '');
  }
}

export function loadConfig(env: Env = process.env): Config {
  const read = new Reader(env);
  const simulator = {
    port: read.port('SIMULATOR_PORT', 8288),
    speed: read.number('SIMULATOR_SPEED', 20, [0.1, 10_000]),
  };
  const host = read.text('HOST') ?? '127.0.0.1';
  const keys = read.list('API_KEYS');
  if (keys.length === 0 && !isLoopback(host)) {
    throw new ConfigError(
      `API_KEYS: expected at least one key because HOST is "${host}", which is not loopback; set API_KEYS, or HOST=127.0.0.1.`,
    );
  }
  return {
    replicate: readReplicate(read, simulator.port),
    simulator,
    temporal: readTemporal(read, env),
    api: { host, port: read.port('PORT', 3000), keys },
    data_dir: read.text('DATA_DIR') ?? '.data',
    default_model: read.text('VIDEO_GENERATOR_MODEL') ?? 'kwaivgi/kling-v2.5-turbo-pro',
    duration_buffer: read.number('VIDEO_GENERATOR_DURATION_BUFFER', 1.25, [1, 2]),
    model_catalogue: read.text('MODEL_CATALOGUE'),
    reference_allow_hosts: read.hosts('REFERENCE_ALLOW_HOSTS'),
    creates_per_minute: read.number('REPLICATE_CREATES_PER_MINUTE', 500, [1, 600]),
    webhook_url: read.url('REPLICATE_WEBHOOK_URL', ['https:']),
    log_level: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
}

function readReplicate(read: Reader, simulatorPort: number): Config['replicate'] {
  const token = read.text('REPLICATE_API_TOKEN');
  const baseUrl = read.url('REPLICATE_BASE_URL', ['http:', 'https:']);
  if (baseUrl !== null && !baseUrl.endsWith('/v1')) {
    fail('REPLICATE_BASE_URL', 'a URL that ends in /v1', baseUrl);
  }
  if (token === null) {
    if (baseUrl !== null) {
      throw new ConfigError(
        'REPLICATE_BASE_URL: expected REPLICATE_API_TOKEN beside it, got none; set the token, or unset both to use the simulator.',
      );
    }
    return {
      token: 'simulator',
      base_url: `http://127.0.0.1:${String(simulatorPort)}/v1`,
      simulated: true,
    };
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError(
      'REPLICATE_API_TOKEN: expected printable characters without spaces, got something else (not shown).',
    );
  }
  return { token, base_url: baseUrl ?? REPLICATE_URL, simulated: false };
}

/** What any program needs to run here. Children that handle foreign bytes get this and no setting or secret of ours. */
const PLAIN = ['PATH', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'SYSTEMROOT'];

export const plainEnvironment = (env: Env = process.env): Record<string, string> =>
  Object.fromEntries(
    PLAIN.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Address, namespace, key, TLS and profiles are read by the SDK's own envconfig, as the Temporal CLI reads them. */
function readTemporal(read: Reader, env: Env): Config['temporal'] {
  const port = read.port('TEMPORAL_PORT', 7233);
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.trim() !== '') given[name] = value.trim();
  }
  // The SDK takes any other word for "no TLS", and a missing file for an empty one.
  read.oneOf('TEMPORAL_TLS', ['true', 'false', '1', '0'], 'false');
  const file = given['TEMPORAL_CONFIG_FILE'];
  if (file !== undefined && !existsSync(file)) {
    fail('TEMPORAL_CONFIG_FILE', 'the path of a file', file);
  }
  // A profile file is used only when it is asked for: `npm start` must not surprise with a cloud namespace.
  const disableFile = !given['TEMPORAL_PROFILE'] && !given['TEMPORAL_CONFIG_FILE'];
  const loaded = ((): ReturnType<typeof loadClientConnectConfig> => {
    try {
      return loadClientConnectConfig({ disableFile, overrideEnvVars: given });
    } catch (error) {
      throw new ConfigError(
        `TEMPORAL_*: expected connection settings the Temporal SDK can read, got: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  })();
  const address = loaded.connectionOptions.address ?? null;
  if (address !== null && !ADDRESS.test(address)) fail('TEMPORAL_ADDRESS', 'host:port', address);
  return {
    connection: {
      ...loaded.connectionOptions,
      address: address ?? `127.0.0.1:${String(port)}`,
    },
    address: address ?? `127.0.0.1:${String(port)}`,
    embedded: address === null,
    namespace: loaded.namespace ?? 'default',
    task_queue: read.text('TEMPORAL_TASK_QUEUE') ?? 'generate-clips',
    port,
    ui_port: read.port('TEMPORAL_UI_PORT', 8233),
    cli: read.text('TEMPORAL_CLI'),
  };
}
