/** Certificates and keys for Temporal: read, looked at, and refused before a connection would wait for ever with them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { lacks } from '../support/needed-programs.js';
import { testFolder } from '../support/test-folder.js';

const { path: folder, remove } = testFolder('tls');
const file = (name: string): string => path.join(folder, name);
const CERT = 'TEMPORAL_TLS_CLIENT_CERT_PATH';
const KEY = 'TEMPORAL_TLS_CLIENT_KEY_PATH';

afterAll(remove);

describe.skipIf(lacks('openssl'))('certificates and keys', () => {
  beforeAll(() => {
    for (const name of ['a', 'b']) {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const to = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
      execFileSync('openssl', ['req', '-x509', '-subj', '/CN=clips', ...key, ...to], {
        stdio: 'ignore',
      });
    }
    for (const name of ['a.pem', 'a.key']) {
      writeFileSync(file(`bom-${name}`), `\uFEFF${readFileSync(file(name), 'utf8')}`);
    }
  });

  it.each([
    ['a.pem', 'a.key'],
    ['bom-a.pem', 'bom-a.key'],
  ])('reach the connection without a byte order mark, from %s and %s', (cert, key) => {
    const { connection } = loadConfig({
      [CERT]: file(cert),
      [KEY]: file(key),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file(cert),
    }).temporal;
    const tls = connection.tls as Record<string, unknown>;
    const pem = Buffer.from(readFileSync(file('a.pem')));
    expect(Buffer.from(tls['serverRootCACertificate'] as Uint8Array)).toEqual(pem);
    const pair = tls['clientCertPair'] as { crt: Uint8Array; key: Uint8Array };
    expect(Buffer.from(pair.crt)).toEqual(pem);
    expect(Buffer.from(pair.key)).toEqual(readFileSync(file('a.key')));
  });

  it.each([
    [{ [CERT]: 'a.pem' }, /CLIENT_CERT_PATH: expected TEMPORAL_TLS_CLIENT_KEY_PATH .* beside it/],
    [{ [KEY]: 'a.key' }, /CLIENT_KEY_PATH: expected TEMPORAL_TLS_CLIENT_CERT_PATH .* beside it/],
    [{ [CERT]: 'a.pem', [KEY]: 'b.key' }, /CLIENT_KEY_PATH: expected the key of the client/],
    [{ [CERT]: 'a.key', [KEY]: 'a.key' }, /CLIENT_CERT_PATH: expected certificates in PEM/],
    [{ [CERT]: 'a.pem', [KEY]: 'a.pem' }, /CLIENT_KEY_PATH: expected a private key in PEM/],
  ])('are refused as %j', (env, message) => {
    const given = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, file(value)]),
    );
    expect(() => loadConfig(given)).toThrow(message);
  });

  it('of a profile are refused by the name of its file', () => {
    const toml = file('temporal.toml');
    const key = JSON.stringify(file('none.key'));
    writeFileSync(toml, `[profile.default]\n[profile.default.tls]\nclient_key_path = ${key}\n`);
    const load = (): unknown => loadConfig({ TEMPORAL_CONFIG_FILE: toml });
    expect(load).toThrow(/^TEMPORAL_CONFIG_FILE: .*none\.key", but there is no such file/);
  });
});
