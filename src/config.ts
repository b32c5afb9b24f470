/**
 * The only reader of the environment. Every setting is checked here once, before anything starts, waits or listens, with the
 * files that settings name; a bad value is one sentence that names its variable (ConfigError, exit 2). An empty value
 * counts as unset. Values of secrets never appear in a message.
 */
import type { Catalogue } from './domain/models/index.js';
import { loadCatalogue, modelOf } from './settings/model-catalogue.js';
import { dataDirOf } from './settings/data-dir.js';
import { ConfigError, Reader, refuse, withoutUserInfo } from './settings/reader.js';
import type { Env } from './settings/reader.js';
import { readTemporal } from './settings/temporal-profile.js';
import type { TemporalSettings } from './settings/temporal-profile.js';

export { ConfigError } from './settings/reader.js';
export { makeDataDir, requireWritable } from './settings/data-dir.js';
export { umaskOfPerson } from './settings/private-files.js';

export interface Config {
  replicate: {
    token: string;
    /** Ends in /v1, no trailing slash. */
    base_url: string;
    /** No token was given: the local simulator plays Replicate. */
    simulated: boolean;
  };
  /** Of the environment, for what leaves this machine. */
  proxies: Proxies;
  simulator: { port: number; speed: number };
  temporal: TemporalSettings;
  api: {
    host: string;
    port: number;
    keys: string[];
    /** Names, besides loopback, that requests may ask for (`Host`) while there are no keys: host or host:port, lower case. */
    allowed_hosts: string[];
    /** Of one client. */
    requests_per_minute: number;
  };
  data_dir: string;
  /** The delivered rows and those of MODEL_CATALOGUE. */
  catalogue: Catalogue;
  /** One of the catalogue. */
  default_model: string;
  duration_buffer: number;
  reference_allow_hosts: string[];
  creates_per_minute: number;
  webhook_url: string | null;
  log_level: LogLevel;
}

export interface Proxy {
  /** The variable that names it. */
  variable: string;
  /** May hold a password. */
  url: string;
}

export interface Proxies {
  /** For http: and https: addresses; null: none. */
  http: Proxy | null;
  https: Proxy | null;
  /** Entries of NO_PROXY, in lower case. */
  direct: string[];
}

/** Decision 49. */
const DEFAULT_MODEL = 'prunaai/p-video';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const REPLICATE_URL = 'https://api.replicate.com/v1';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);
export const isLoopback = (host: string): boolean =>
  LOOPBACK.has(host.toLowerCase()) || /^127(\.\d{1,3}){3}$/.test(host);

/** What a program needs to run at all. Tokens, keys and every other setting of ours stay out of child processes. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TZ|TMPDIR|LANG|LANGUAGE|LC_\w+|LD_LIBRARY_PATH|SYSTEMROOT|SSL_CERT_(FILE|DIR))$/;

/** The environment of a child process. */
export const childEnvironment = (env: Env = process.env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      PASSED_ON.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );

export function loadConfig(env: Env = process.env): Config {
  const read = new Reader(env);
  const simulator = {
    port: read.port('SIMULATOR_PORT', 8288),
    speed: read.number('SIMULATOR_SPEED', 20, [0.1, 10_000]),
  };
  const host = read.host('HOST', '127.0.0.1');
  const keys = read.keys('API_KEYS');
  if (keys.length === 0 && !isLoopback(host)) {
    throw new ConfigError(
      `API_KEYS: expected at least one key because HOST is "${host}", which is not loopback; set API_KEYS, or HOST=127.0.0.1.`,
    );
  }
  const catalogue = loadCatalogue(read.text('MODEL_CATALOGUE'));
  const config: Config = {
    replicate: readReplicate(read, simulator.port),
    proxies: readProxies(env),
    simulator,
    temporal: readTemporal(read, env),
    api: {
      host,
      port: read.port('PORT', 3000),
      keys,
      allowed_hosts: read.hosts('ALLOWED_HOSTS'),
      requests_per_minute: read.number('API_REQUESTS_PER_MINUTE', 6_000, [60, 1_000_000]),
    },
    data_dir: dataDirOf(read.text('DATA_DIR') ?? '.data'),
    catalogue,
    default_model: modelOf(catalogue, read.text('VIDEO_GENERATOR_MODEL') ?? DEFAULT_MODEL),
    duration_buffer: read.number('VIDEO_GENERATOR_DURATION_BUFFER', 1.25, [1, 2]),
    reference_allow_hosts: read.hosts('REFERENCE_ALLOW_HOSTS'),
    creates_per_minute: read.number('REPLICATE_CREATES_PER_MINUTE', 500, [1, 600]),
    webhook_url: read.url('REPLICATE_WEBHOOK_URL', ['https:']),
    log_level: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  requireDifferentPorts(config);
  return config;
}

/** Ports of parts that this configuration runs side by side on one machine. */
function requireDifferentPorts({ api, simulator, temporal, replicate }: Config): void {
  const owners = new Map<number, string>();
  for (const [name, port, isUsed] of [
    ['PORT', api.port, true],
    ['TEMPORAL_PORT', temporal.port, temporal.embedded],
    ['TEMPORAL_UI_PORT', temporal.ui_port, temporal.embedded],
    ['SIMULATOR_PORT', simulator.port, replicate.simulated],
  ] as const) {
    if (!isUsed) continue;
    const other = owners.get(port);
    if (other !== undefined) {
      throw new ConfigError(
        `${name}: expected a port of its own, got ${String(port)}, which is ${other} too; set one of the two to another.`,
      );
    }
    owners.set(port, name);
  }
}

/** The names that every program reads, in either case, lower case first; https falls back to http. */
function readProxies(env: Env): Proxies {
  const given = new Map(Object.entries(env).map(([name, value]) => [name, value?.trim()]));
  const named = (name: string): Proxy | null => {
    const found = [name, name.toUpperCase()].flatMap((variable) => {
      const url = given.get(variable);
      if (!url) return [];
      if (isProxyUrl(url)) return { variable, url };
      const shown = withoutUserInfo(url);
      return refuse(
        variable,
        'the URL of a proxy, as http://host:port or https://host:port',
        shown,
      );
    });
    return found[0] ?? null;
  };
  const [http, https] = [named('http_proxy'), named('https_proxy'), named('grpc_proxy')];
  const direct = (given.get('no_proxy') || given.get('NO_PROXY') || '').toLowerCase();
  return { http, https: https ?? http, direct: direct.split(/[\s,]+/).filter(Boolean) };
}

function isProxyUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '';
}

function readReplicate(read: Reader, simulatorPort: number): Config['replicate'] {
  const token = read.secret('REPLICATE_API_TOKEN');
  const baseUrl = read.url('REPLICATE_BASE_URL', ['http:', 'https:']);
  const { pathname = '/v1', search = '' } = baseUrl === null ? {} : new URL(baseUrl);
  if (baseUrl !== null && (!pathname.endsWith('/v1') || search !== '')) {
    refuse('REPLICATE_BASE_URL', 'a URL that ends in /v1', baseUrl);
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
  return { token, base_url: baseUrl ?? REPLICATE_URL, simulated: false };
}
