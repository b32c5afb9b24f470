/** The embedded server: restarted when it dies, one for a database, one sentence for every mistake. */
import { createServer } from 'node:net';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { isRunning } from '../../setup/process-liveness.mjs';
import { ConfigError, loadConfig } from '../../src/config.js';
import { startTemporal } from '../../src/embedded/temporal-server.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../../src/http/ports.js';
import { temporalServer } from '../support/temporal-server.js';
import { testFolder } from '../support/test-folder.js';

/** A folder that is removed with the test. */
function temporaryFolder(): string {
  const folder = testFolder('temporal');
  onTestFinished(folder.remove);
  return folder.path;
}

async function settings(env: Record<string, string> = {}) {
  const [port, uiPort] = (await freePorts('127.0.0.1', 2)) as [number, number];
  return loadConfig({
    DATA_DIR: temporaryFolder(),
    TEMPORAL_PORT: String(port),
    TEMPORAL_UI_PORT: String(uiPort),
    TEMPORAL_CLI: findTemporalCli() ?? '',
    ...env,
  });
}

describe('the embedded Temporal server', () => {
  it('is started again after kill -9, with every workflow it knew', async () => {
    const log: string[] = [];
    await using server = await temporalServer((line) => log.push(line));
    const connection = await Connection.connect({ address: server.address });
    const client = new Client({ connection });
    const handle = await client.workflow.start('waits', {
      taskQueue: 'without-workers',
      workflowId: 'kept',
    });
    const before = server.pid();
    process.kill(before ?? 0, 'SIGKILL');
    await eventually('another server process', () => {
      const pid = server.pid();
      return Promise.resolve({ done: pid !== null && pid !== before, value: { pid, log } });
    });
    expect((await handle.describe()).runId).toBe(handle.firstExecutionRunId);
    // Failures of calls that the first server did not answer may be logged before.
    expect(log.join('\n')).toMatch(/ended unexpectedly \(signal 9\); starting it again/);
    await connection.close();
  });

  it('has ended after close, even when it was just being started again', async () => {
    const server = await temporalServer();
    const pid = server.pid() ?? 0;
    process.kill(pid, 'SIGKILL');
    await eventually('the death to be noticed', () =>
      Promise.resolve({ done: server.pid() !== pid, value: server.pid() }),
    );
    const successor = server.pid();
    await server.close();
    expect([pid, successor].some((one) => one !== null && isRunning(one))).toBe(false);
  });

  it.each(['TEMPORAL_PORT', 'TEMPORAL_UI_PORT'])(
    'names %s when that port is in use',
    async (name) => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const address = taken.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const config = await settings({ [name]: String(port) });
      await expect(startTemporal(config)).rejects.toThrow(
        new RegExp(`^${name}: expected a free port, got ${String(port)}`),
      );
      await expect(startTemporal(config)).rejects.toBeInstanceOf(ConfigError);
      taken.close();
    },
  );

  it('names TEMPORAL_PORT when another program takes that port after it was found free', async () => {
    const config = await settings();
    const { port, cli } = config.temporal;
    const late = path.join(config.data_dir, 'late');
    // Takes the port, and only then becomes the server.
    await writeFile(
      late,
      `#!${process.execPath}
      require('node:net').createServer().listen(${String(port)}, '127.0.0.1', () => {
        const server = require('node:child_process').spawn('${cli ?? ''}', process.argv.slice(2), { stdio: 'inherit' });
        server.on('exit', (code) => process.exit(code ?? 1));
      });`,
      { mode: 0o755 },
    );
    const withLate = { ...config, temporal: { ...config.temporal, cli: late } };
    await expect(startTemporal(withLate)).rejects.toThrow(
      new RegExp(
        `^TEMPORAL_PORT: expected a free port, got ${String(port)}, which another program`,
      ),
    );
  });

  it('gives the server none of the tokens, keys and settings of this process', async () => {
    const config = await settings();
    const spy = path.join(config.data_dir, 'spy');
    const seen = path.join(config.data_dir, 'seen');
    await writeFile(spy, `#!/bin/sh\nenv > '${seen}'\nexit 3\n`, { mode: 0o755 });
    const secrets = {
      REPLICATE_API_TOKEN: 'r8_secret',
      API_KEYS: 'key',
      TEMPORAL_API_KEY: 'cloud',
    };
    const before = { ...process.env };
    onTestFinished(() => {
      process.env = before;
    });
    process.env = { ...before, ...secrets, MODEL_CATALOGUE: 'rows.json' };
    const withSpy = { ...config, temporal: { ...config.temporal, cli: spy } };
    await expect(startTemporal(withSpy)).rejects.toThrow(/ended at once \(exit 3\)/);
    const environment = await readFile(seen, 'utf8');
    expect(environment).toMatch(/^PATH=/m);
    expect(environment).not.toMatch(/r8_secret|API_KEY|cloud|MODEL_CATALOGUE/);
  });

  it('refuses a database that another server uses, and names its owner', async () => {
    await using server = await temporalServer();
    const config = await settings({ DATA_DIR: server.data_dir });
    await expect(startTemporal(config)).rejects.toThrow(
      new RegExp(`^DATA_DIR: expected .* which process ${String(process.pid)} uses`),
    );
  });

  it('refuses a file that is no database instead of starting without it', async () => {
    const config = await settings();
    await writeFile(path.join(config.data_dir, 'temporal.db'), 'x'.repeat(8192));
    await expect(startTemporal(config)).rejects.toThrow(/temporal\.db, which is damaged/);
  });

  it('refuses a data folder that cannot be one', async () => {
    const config = { ...(await settings()), data_dir: '/dev/null/data' };
    await expect(startTemporal(config)).rejects.toThrow(/^DATA_DIR: expected a folder/);
  });

  it('keeps its database in the data folder, also with syntax of URLs in its path', async () => {
    const folder = temporaryFolder();
    const config = await settings({ DATA_DIR: path.join(folder, 'a!b?c#d%41 ä') });
    const server = await startTemporal(config);
    await server.close();
    expect(await readdir(folder)).toEqual(['a!b?c#d%41 ä']);
    expect(await readdir(config.data_dir)).toContain('temporal.db');
  });

  it('shares one server among all tests', async () => {
    const connection = await Connection.connect({ address: inject('temporalAddress') });
    await connection.close();
  });
});
