/**
 * How Temporal is reached. Address, namespace, key, TLS and profiles are read by the SDK's own envconfig, as the Temporal CLI
 * reads them; what the SDK takes unchecked, so that a connection would wait for ever, is checked here.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { ClientConfigProfile, ConfigDataSource } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { errorMessage } from '../domain/values/error-message.js';
import { ConfigError } from './config-error.js';
import type { Env } from './config-error.js';
import { hostAndPort, readAs, temporalName } from './shapes.js';
import { readTextFile } from './text-file.js';
import type { Variables } from './variables.js';

interface TemporalSettings {
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

const namespaceName = temporalName(255);
const MAX_FILE_BYTES = 1024 * 1024;

export function readTemporal(variables: Variables, env: Env): TemporalSettings {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.trim() !== '') given[name] = value.trim();
  }
  checkHeaders(given);
  const profile = readProfile(given);
  const { connectionOptions, namespace } = toClientOptions(withMaterials(profile, given));
  const port = variables.TEMPORAL_PORT;
  const address = connectionOptions.address ?? `127.0.0.1:${String(port)}`;
  readAs(hostAndPort, address, 'TEMPORAL_ADDRESS');
  return {
    connection: { ...connectionOptions, address },
    address,
    embedded: connectionOptions.address === undefined,
    namespace: readAs(namespaceName, namespace ?? 'default', 'TEMPORAL_NAMESPACE'),
    task_queue: variables.TEMPORAL_TASK_QUEUE,
    port,
    ui_port: variables.TEMPORAL_UI_PORT,
    cli: variables.TEMPORAL_CLI,
  };
}

/** Values may be secrets, and are not repeated. */
function checkHeaders(given: Readonly<Record<string, string>>): void {
  const bad = Object.keys(given).find(
    (name) => name.startsWith('TEMPORAL_GRPC_META_') && !/^[\x20-\x7e]*$/.test(given[name] ?? ''),
  );
  if (bad === undefined) return;
  throw new ConfigError(`${bad}: expected printable characters, got something else (not shown).`);
}

/** A profile file is used only when a variable asks for it: `npm start` must not surprise with a cloud namespace. */
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
    const [reason = ''] = errorMessage(error).split('\n');
    throw new ConfigError(
      `${variable}: expected connection settings the Temporal SDK can read, got: ${reason}`,
      { cause: error },
    );
  }
}

function textOf(variable: string, expected: string, file: string): string {
  const read = readTextFile(file, MAX_FILE_BYTES);
  if (read.ok) return read.text;
  throw new ConfigError(
    `${variable}: expected the path of ${expected}, got "${file}", but ${read.problem.text}.`,
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

/** The profile with certificates and keys read: the SDK would pass on texts that are neither, and leave out half a pair. */
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

/** The variable that was set; a value that no variable names is the profile's. */
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
    const certificateName = nameGiven('TEMPORAL_TLS_CLIENT_CERT', given);
    const missing = 'TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA)';
    throw new ConfigError(`${certificateName}: expected ${missing} beside it, got none.`);
  }
  if (!certificateIn(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new ConfigError(`${name}: expected the key of the client certificate, got another one.`);
  }
}
