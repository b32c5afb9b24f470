/** A real Temporal server on ports and in a folder of its own: the one all tests share, and those that tests kill. */
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { loadConfig } from '../../src/config.js';
import { startTemporal } from '../../src/embedded/temporal-server.js';
import type { EmbeddedTemporal } from '../../src/embedded/temporal-server.js';
import { freePorts } from '../../src/http/ports.js';
import { testFolder } from './test-folder.js';

interface TestServer extends EmbeddedTemporal, AsyncDisposable {
  port: number;
  ui_port: number;
  data_dir: string;
  /** Stops it, does something to what it left, and starts it again on the same ports and file. */
  restart(meanwhile: () => void): Promise<void>;
}

export async function temporalServer(
  log: (line: string) => void = () => undefined,
): Promise<TestServer> {
  const { path: data_dir, remove } = testFolder('temporal');
  const [port, uiPort] = (await freePorts('127.0.0.1', 2)) as [number, number];
  const config = loadConfig({
    DATA_DIR: data_dir,
    TEMPORAL_PORT: String(port),
    TEMPORAL_UI_PORT: String(uiPort),
    TEMPORAL_CLI: findTemporalCli() ?? '',
  });
  let server = await startTemporal(config, { log });
  const close = async (): Promise<void> => {
    await server.close();
    remove();
  };
  return {
    address: server.address,
    ui_url: server.ui_url,
    pid: () => server.pid(),
    port,
    ui_port: uiPort,
    data_dir,
    async restart(meanwhile) {
      await server.close();
      meanwhile();
      server = await startTemporal(config, { log });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
