/**
 * The stack of a chaos run: everything on free ports and in a folder that is removed afterwards. The simulator and the
 * supervisor of the Temporal server are in this process; workers and API are processes, the targets of faults.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../src/config.js';
import { freePorts } from '../src/http/ports.js';
import { startSimulator } from '../src/simulator/index.js';
import type { Simulator } from '../src/simulator/index.js';
import { startTemporal } from '../src/embedded/temporal-server.js';
import type { EmbeddedTemporal } from '../src/embedded/temporal-server.js';
import { createDirectoryStore } from '../src/adapters/storage/directory-store.js';
import type { StackToAudit } from './stack-to-audit.js';
import { Target } from './target.js';
import type { WorkerSettings } from './worker-process.js';
import { packageFile } from '../src/settings/package-files.js';

export interface ChaosStack extends StackToAudit, AsyncDisposable {
  temporal: EmbeddedTemporal;
  simulator: Simulator;
  workers: Target[];
  api: Target;
}

interface StackOptions {
  workers: number;
  /** Path of the `temporal` program. */
  cli: string;
  /** Divides the provider's times. */
  speed: number;
  worker: WorkerSettings;
  /** Milliseconds by which the provider's clock is ahead of this machine's. */
  clock_offset_ms: number;
  log: (line: string) => void;
}

const HOST = '127.0.0.1';

/** Processes run compiled code, even when this file does not. */
const compiled = (name: string): string => packageFile(`dist/chaos/${name}`);

export async function startChaosStack(options: StackOptions): Promise<ChaosStack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chaos-'));
  const closers: (() => Promise<unknown>)[] = [
    () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  ];
  const close = async (): Promise<void> => {
    for (const next of closers.splice(0).reverse()) await next();
  };
  try {
    return { ...(await startParts(folder, options, closers)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  folder: string,
  { workers, cli, speed, worker, clock_offset_ms, log }: StackOptions,
  closers: (() => Promise<unknown>)[],
): Promise<Omit<ChaosStack, typeof Symbol.asyncDispose>> {
  const simulator = await startSimulator({
    host: HOST,
    port: 0,
    speed,
    data_dir: folder,
    // Small frames: the run shares the machine with the encoder.
    settings: { clip_max_width: 160, clock_offset_ms },
  });
  closers.push(() => simulator.close());
  const ports = (await freePorts(HOST, 3)) as [number, number, number];
  const env = environment({ folder, simulator, cli, ports });
  const config = loadConfig(env);
  const temporal = await startTemporal(loadConfig({ ...env, TEMPORAL_ADDRESS: '' }), { log });
  closers.push(() => temporal.close());
  const settings = JSON.stringify(worker);
  const parts = Array.from(
    { length: workers },
    (_, index) =>
      new Target(
        `worker ${String(index)}`,
        [process.execPath, compiled('worker-process.js'), settings],
        env,
      ),
  );
  const api = new Target('API', [process.execPath, compiled('api-process.js')], env);
  const processes = [...parts, api];
  closers.push(() => Promise.all(processes.map((target) => target.close())));
  await Promise.all(processes.map((target) => target.start()));
  return {
    config,
    store: createDirectoryStore(config.data_dir),
    temporal,
    simulator,
    workers: parts,
    api,
    api_url: `http://${HOST}:${String(config.api.port)}`,
    api_key: null,
    processes,
  };
}

function environment({
  folder,
  simulator,
  cli,
  ports: [temporal, ui, api],
}: {
  folder: string;
  simulator: Simulator;
  cli: string;
  ports: [number, number, number];
}): Record<string, string> {
  return {
    REPLICATE_API_TOKEN: 'r8_chaos',
    REPLICATE_BASE_URL: simulator.url,
    TEMPORAL_ADDRESS: `${HOST}:${String(temporal)}`,
    TEMPORAL_PORT: String(temporal),
    TEMPORAL_UI_PORT: String(ui),
    TEMPORAL_CLI: cli,
    PORT: String(api),
    DATA_DIR: folder,
    LOG_LEVEL: 'error',
  };
}
