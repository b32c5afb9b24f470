/**
 * How Temporal is reached. Address, namespace, key, TLS and profiles are read by the SDK's own envconfig, as the Temporal CLI
 * reads them; what the SDK takes without a look, and a connection then waits on for ever, is checked here.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { ClientConfigProfile, ConfigDataSource } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { isProgram } from '#setup/temporal-cli.mjs';
import { readTextFile } from './text-file.js';
import { ConfigError, hostAndPort, isHost, refuse } from './reader.js';
import type { Env, Reader } from './reader.js';

export interface TemporalSettings {
  connection: ConnectionOptions;
  address: string;
  /** No address was given: `start` and `generate` run their own server. */
  embedded: boolean;
  namespace: string;
  task_queue: string;
  port: number;
  ui_port: number;
  cli: string | null;
}

/** Temporal's databases keep 255 characters of a name; the queues beside the main one have five more (`-paid`). */
const LONGEST = { namespace: 255, task_queue: 250 } as const;
const LARGEST_FILE = 1024 * 1024;

export function readTemporal(read: Reader, env: Env): TemporalSettings {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.trim() !== '') given[name] = value.trim();
  }
  // The SDK takes any other word for "no TLS".
  read.oneOf('TEMPORAL_TLS', ['true', 'false', '1', '0'], 'false');
  read.secret('TEMPORAL_API_KEY');
  const serverName = read.text('TEMPORAL_TLS_SERVER_NAME');
  if (serverName !== null && !isHost(serverName)) {
    refuse('TEMPORAL_TLS_SERVER_NAME', 'a host name', serverName);
  }
  checkHeaders(given);
  const profile = readProfile(given);
  const { connectionOptions, namespace } = toClientOptions(withMaterials(profile, given));
  const port = read.port('TEMPORAL_PORT', 7233);
  const address = connectionOptions.address ?? null;
  if (address !== null && hostAndPort(address) === null) {
    refuse('TEMPORAL_ADDRESS', 'host:port', address);
  }
  const where = address ?? `127.0.0.1:${String(port)}`;
  return {
    connection: { ...connectionOptions, address: where },
    address: where,
    embedded: address === null,
    namespace: nameOf('TEMPORAL_NAMESPACE', namespace ?? 'default', LONGEST.namespace),
    task_queue: nameOf(
      'TEMPORAL_TASK_QUEUE',
      read.text('TEMPORAL_TASK_QUEUE') ?? 'generate-clips',
      LONGEST.task_queue,
    ),
    port,
    ui_port: read.port('TEMPORAL_UI_PORT', 8233),
    cli: programOf(read.text('TEMPORAL_CLI')),
  };
}

function nameOf(variable: string, name: string, longest: number): string {
  const isName = /^[^\s\p{C}/]+$/u.test(name) && name.length <= longest;
  return isName
    ? name
    : refuse(variable, `1 to ${String(longest)} characters without spaces or slashes`, name);
}

function programOf(cli: string | null): string | null {
  return cli === null || isProgram(cli)
    ? cli
    : refuse('TEMPORAL_CLI', 'the path of a `temporal` program', cli);
}

/** Values may be secrets, and are not repeated. */
function checkHeaders(given: Readonly<Record<string, string>>): void {
  const bad = Object.keys(given).find(
    (name) => name.startsWith('TEMPORAL_GRPC_META_') && !/^[\x20-\x7e]*$/.test(given[name] ?? ''),
  );
  if (bad === undefined) return;
  throw new ConfigError(`${bad}: expected printable characters, got something else (not shown).`);
}

/** A profile file is used only when it is asked for: `npm start` must not surprise with a cloud namespace. */
function readProfile(given: Record<string, string>): ClientConfigProfile {
  const { TEMPORAL_PROFILE: name, TEMPORAL_CONFIG_FILE: file } = given;
  const disableFile = name === undefined && file === undefined;
  const text = file === undefined ? null : textOf('TEMPORAL_CONFIG_FILE', 'a profile file', file);
  try {
    return loadClientConfigProfile({
      disableFile,
      overrideEnvVars: given,
      ...(text === null ? {} : { configSource: { data: text } }),
    });
  } catch (error) {
    const variable =
      file !== undefined
        ? 'TEMPORAL_CONFIG_FILE'
        : name !== undefined
          ? 'TEMPORAL_PROFILE'
          : 'TEMPORAL_*';
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new ConfigError(
      `${variable}: expected connection settings the Temporal SDK can read, got: ${said}`,
      { cause: error },
    );
  }
}

function textOf(variable: string, expected: string, file: string): string {
  const read = readTextFile(file, LARGEST_FILE);
  if (read.ok) return read.text;
  throw new ConfigError(
    `${variable}: expected the path of ${expected}, got "${file}", but ${read.problem.said}.`,
  );
}

const MATERIALS = [
  {
    field: 'serverCACert',
    variable: 'TEMPORAL_TLS_SERVER_CA_CERT',
    expected: 'certificates in PEM',
    check: certificateIn,
  },
  {
    field: 'clientCert',
    variable: 'TEMPORAL_TLS_CLIENT_CERT',
    expected: 'certificates in PEM',
    check: certificateIn,
  },
  {
    field: 'clientKey',
    variable: 'TEMPORAL_TLS_CLIENT_KEY',
    expected: 'a private key in PEM without a passphrase',
    check: createPrivateKey,
  },
] as const;

/** The profile with certificates and keys read: the SDK would hand on what is none, and leave out half a pair. */
function withMaterials(profile: ClientConfigProfile, given: Env): ClientConfigProfile {
  if (profile.tls === undefined) return profile;
  const tls = { ...profile.tls };
  for (const { field, variable, expected, check } of MATERIALS) {
    const source = tls[field];
    if (source === undefined) continue;
    const name = nameGiven(variable, given);
    const text = materialOf(name, expected, source);
    try {
      check(text);
    } catch (error) {
      const got = 'path' in source ? `"${source.path}"` : 'a text';
      throw new ConfigError(`${name}: expected ${expected}, got ${got} without.`, { cause: error });
    }
    tls[field] = { data: text };
  }
  checkPair(tls, given);
  return { ...profile, tls };
}

/** The variable a person has set; what none names stands in the profile. */
const nameGiven = (variable: string, given: Env): string =>
  [`${variable}_PATH`, `${variable}_DATA`].find((name) => given[name] !== undefined) ??
  (given['TEMPORAL_CONFIG_FILE'] === undefined ? 'TEMPORAL_PROFILE' : 'TEMPORAL_CONFIG_FILE');

function materialOf(name: string, expected: string, source: ConfigDataSource): string {
  if ('path' in source) return textOf(name, `a file with ${expected}`, source.path);
  const text = typeof source.data === 'string' ? source.data : Buffer.from(source.data).toString();
  return text.replace(/^\uFEFF/, '');
}

function certificateIn(text: string): X509Certificate {
  const blocks =
    text.match(/-----BEGIN CERTIFICATE-----[^-]{1,20000}-----END CERTIFICATE-----/g) ?? [];
  const [first] = blocks.map((block) => new X509Certificate(block));
  if (first === undefined) throw new Error('no certificate');
  return first;
}

function checkPair(
  { clientCert, clientKey }: NonNullable<ClientConfigProfile['tls']>,
  given: Env,
): void {
  if (clientCert === undefined && clientKey === undefined) return;
  const [certificate, key] = [clientCert, clientKey].map((source) =>
    source !== undefined && 'data' in source ? String(source.data) : null,
  );
  const name = nameGiven('TEMPORAL_TLS_CLIENT_KEY', given);
  if (certificate == null) {
    const missing = 'TEMPORAL_TLS_CLIENT_CERT_PATH (or _DATA)';
    throw new ConfigError(`${name}: expected ${missing} beside it, got none.`);
  }
  if (key == null) {
    const beside = nameGiven('TEMPORAL_TLS_CLIENT_CERT', given);
    const missing = 'TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA)';
    throw new ConfigError(`${beside}: expected ${missing} beside it, got none.`);
  }
  if (!certificateIn(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new ConfigError(`${name}: expected the key of the client certificate, got another one.`);
  }
}
