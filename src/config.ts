/**
 * The only reader of the environment. Every setting is checked here once, before anything starts, waits or listens, with the
 * files that settings name; a bad value is one sentence that names its variable (ConfigError, exit 2). The variables are rows
 * of settings/variables.ts; here they become the configuration that the program's parts take.
 */
import { dataDirOf } from './settings/data-dir.js';
import { ConfigError } from './settings/config-error.js';
import type { Env } from './settings/config-error.js';
import { loadCatalogue, modelOf } from './settings/model-catalogue.js';
import { readProxies } from './settings/proxies.js';
import { withSecretFiles } from './settings/secret-files.js';
import { readTemporal } from './settings/temporal-profile.js';
import { readVariables } from './settings/variables.js';

export { ConfigError } from './settings/config-error.js';
export { makeDataDir, requireWritable } from './settings/data-dir.js';
export { inheritedUmask } from './settings/private-files.js';
export type { Proxies, Proxy } from './settings/proxies.js';
export type { LogLevel } from './settings/variables.js';

export type Config = ReturnType<typeof loadConfig>;

export const REPLICATE_URL = 'https://api.replicate.com/v1';

/** What a program needs to run at all. Tokens, keys and every other setting of this program stay out of child processes. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TZ|TMPDIR|LANG|LANGUAGE|LC_\w+|LD_LIBRARY_PATH|SYSTEMROOT|SSL_CERT_(FILE|DIR))$/;

/** The environment of a child process. */
export const childEnvironment = (env: Env = process.env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      PASSED_ON.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );

export function loadConfig(environment: Env = process.env) {
  const env = withSecretFiles(environment);
  const given = readVariables(env);
  const token = given.REPLICATE_API_TOKEN;
  const simulatorUrl = `http://${inUrl(given.SIMULATOR_HOST)}:${String(given.SIMULATOR_PORT)}/v1`;
  /** The delivered rows and those of MODEL_CATALOGUE. */
  const catalogue = loadCatalogue(given.MODEL_CATALOGUE);
  const config = {
    replicate: {
      token: token ?? 'simulator',
      /** Ends in /v1, no trailing slash. */
      base_url: token === undefined ? simulatorUrl : (given.REPLICATE_BASE_URL ?? REPLICATE_URL),
      /** No token was given: the local simulator plays Replicate. */
      simulated: token === undefined,
    },
    /** For requests that leave this machine. */
    proxies: readProxies(env),
    simulator: {
      /** Where it listens, and where workers ask for it. */
      host: given.SIMULATOR_HOST,
      port: given.SIMULATOR_PORT,
      speed: given.SIMULATOR_SPEED,
    },
    temporal: readTemporal(given, env),
    api: {
      host: given.HOST,
      port: given.PORT,
      keys: given.API_KEYS,
      /** Names, besides loopback, that requests may ask for (`Host`) while there are no keys: host or host:port, lower case. */
      allowed_hosts: given.ALLOWED_HOSTS,
      /** Of one client. */
      requests_per_minute: given.API_REQUESTS_PER_MINUTE,
      /** Pages that may call the codec endpoint, besides the embedded server's Web UI. */
      codec_origins: given.CODEC_ORIGINS,
    },
    /** Where a worker tells how it is; null: nowhere. Host, keys and allowed hosts are those of the API. */
    worker_http_port: given.WORKER_HTTP_PORT,
    worker: {
      /** Clips that are created at a time, and that are followed; slots of other work follow from it. */
      slots: given.WORKER_SLOTS,
      cached_workflows: given.WORKER_CACHED_WORKFLOWS,
      /** Seconds. */
      heartbeat: given.WORKER_HEARTBEAT,
      /** Seconds that a worker may take to end what it is doing. */
      grace: given.WORKER_GRACE,
      /** Null: workers are not versioned. */
      version:
        given.TEMPORAL_DEPLOYMENT_NAME === null || given.TEMPORAL_BUILD_ID === null
          ? null
          : { deployment: given.TEMPORAL_DEPLOYMENT_NAME, build_id: given.TEMPORAL_BUILD_ID },
    },
    /** The first encrypts payloads, all decrypt; none: payloads are clear text. */
    codec_keys: given.CODEC_KEYS,
    data_dir: dataDirOf(given.DATA_DIR),
    /** Where everything is kept that is kept or shared. */
    storage: {
      /** `s3://bucket/prefix`; null: DATA_DIR. */
      url: given.STORAGE_URL,
      /** Null: AWS. */
      endpoint: given.S3_ENDPOINT,
      force_path_style: given.S3_FORCE_PATH_STYLE,
      /** Files are read from the bucket itself, at addresses that hold for a time, instead of through the API. */
      redirects: given.STORAGE_REDIRECTS,
    },
    catalogue,
    /** One of the catalogue. */
    default_model: modelOf(catalogue, given.VIDEO_GENERATOR_MODEL),
    duration_buffer: given.VIDEO_GENERATOR_DURATION_BUFFER,
    reference_allow_hosts: given.REFERENCE_ALLOW_HOSTS,
    creates_per_minute: given.REPLICATE_CREATES_PER_MINUTE,
    webhook_url: given.REPLICATE_WEBHOOK_URL,
    log_level: given.LOG_LEVEL,
    /** Where spans are sent to, without `/v1/traces`; null: no tracing. */
    otlp_endpoint: given.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
  requireDifferentPorts(config);
  return config;
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

type Ports = Pick<Config, 'temporal' | 'simulator' | 'replicate' | 'worker_http_port'> & {
  api: { port: number };
};

/** Ports of parts that this configuration runs side by side on one machine. */
function requireDifferentPorts(config: Ports): void {
  const { api, simulator, temporal, replicate, worker_http_port } = config;
  const owners = new Map<number, string>();
  for (const [name, port, isUsed] of [
    ['PORT', api.port, true],
    ['TEMPORAL_PORT', temporal.port, temporal.embedded],
    ['TEMPORAL_UI_PORT', temporal.ui_port, temporal.embedded],
    ['SIMULATOR_PORT', simulator.port, replicate.simulated],
    ['WORKER_HTTP_PORT', worker_http_port, true],
  ] as const) {
    if (!isUsed || port === null) continue;
    const other = owners.get(port);
    if (other !== undefined) {
      throw new ConfigError(
        `${name}: expected a port of its own, got ${String(port)}, which is ${other} too; set one of the two to another.`,
      );
    }
    owners.set(port, name);
  }
}
