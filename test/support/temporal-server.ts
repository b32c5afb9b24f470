/** A real Temporal server on ports and in a folder of its own: the one all tests share, and those that tests kill. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { loadConfig } from '../../src/config.js';
import { startTemporal } from '../../src/temporal.js';
import type { EmbeddedTemporal } from '../../src/temporal.js';
import { freePorts } from './ports.js';

export interface TestServer extends EmbeddedTemporal, AsyncDisposable {
  port: number;
  ui_port: number;
  data_dir: string;
}

export async function temporalServer(
  log: (line: string) => void = () => undefined,
): Promise<TestServer> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'temporal-'));
  const [port, uiPort] = (await freePorts(2)) as [number, number];
  const server = await startTemporal(
    loadConfig({
      DATA_DIR: dataDir,
      TEMPORAL_PORT: String(port),
      TEMPORAL_UI_PORT: String(uiPort),
      TEMPORAL_CLI: findTemporalCli() ?? '',
    }),
    { log },
  );
  const close = async (): Promise<void> => {
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return {
    ...server,
    port,
    ui_port: uiPort,
    data_dir: dataDir,
    close,
    [Symbol.asyncDispose]: close,
  };
}
