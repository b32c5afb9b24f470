/**
 * All parts in one process: Temporal (when no address was given), the simulator (when no token was given), worker
 * and API. Only assembles `start…` functions, in an order in which each finds what it needs, and closes them in
 * the opposite one: API and its streams, worker (hands its clips over), simulator, Temporal.
 *
 * T1 whatever fails on the way up, nothing that was started stays.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startApi } from './api/server.js';
import { loadConfig } from './config.js';
import type { Config } from './config.js';
import {
  localUrl,
  portAsSet,
  portWhereFree,
  rememberSimulatorPort,
  rememberedSimulatorPort,
} from './ports.js';
import { startSimulator } from './simulator/index.js';
import { startTemporal } from './temporal.js';
import { startWorker } from './worker.js';

export interface Stack {
  /** Where the API and the page answer. */
  url: string;
  /** Temporal Web UI, where it is known. */
  ui_url: string | null;
  simulator_url: string | null;
  close(): Promise<void>;
}

export interface StackOptions {
  /** `as_set`: the ports of the configuration or one sentence; `where_free`: beside whatever else is running. */
  ports: 'as_set' | 'where_free';
  log: (line: string) => void;
  /** Aborted when the stack is not wanted after all. */
  signal: AbortSignal;
}

const LOOPBACK = '127.0.0.1';

type Close = () => Promise<void>;

export async function startStack(config: Config, options: StackOptions): Promise<Stack> {
  const closers: Close[] = [];
  const close = async (): Promise<void> => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) {
      await next().catch((error: unknown) => {
        options.log(`while stopping: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  };
  try {
    return { ...(await startParts(config, options, closers)), close };
  } catch (error) {
    await close(); // T1
    throw error;
  }
}

async function startParts(
  config: Config,
  options: StackOptions,
  closers: Close[],
): Promise<Omit<Stack, 'close'>> {
  const { log, signal } = options;
  let parts = await withPorts(config, options);
  let ui_url: string | null = null;
  if (parts.temporal.embedded) {
    signal.throwIfAborted();
    const temporal = await startTemporal(parts, { log });
    closers.push(() => temporal.close());
    parts = withTemporalAt(parts, temporal.address);
    ui_url = temporal.ui_url;
  }
  let simulator_url: string | null = null;
  if (parts.replicate.simulated) {
    signal.throwIfAborted();
    const { port, speed } = parts.simulator;
    const simulator = await startSimulator({
      host: LOOPBACK,
      allowed_hosts: parts.api.allowed_hosts,
      port,
      speed,
      data_dir: parts.data_dir,
      catalogue: parts.catalogue,
      log,
    });
    closers.push(() => simulator.close());
    parts = { ...parts, replicate: { ...parts.replicate, base_url: simulator.url } };
    simulator_url = simulator.url;
    await rememberSimulatorPort(parts.data_dir, simulator.port);
  }
  signal.throwIfAborted();
  closers.push(await keepWorker(parts, log));
  signal.throwIfAborted();
  const api = await startApi(parts, options.ports === 'where_free' ? { port: 0 } : {});
  closers.push(() => api.close());
  const { port } = new URL(api.url);
  return { url: localUrl(parts.api.host, Number(port)), ui_url, simulator_url };
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

/** A worker that stops by itself is started again, for as long as the stack runs. */
async function keepWorker(config: Config, log: (line: string) => void): Promise<Close> {
  const closing = new AbortController();
  let worker = await startWorker(config, { log });
  const supervision = (async () => {
    for (let wait = FIRST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      const reason = await worker.run.then(
        () => 'no reason given',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (closing.signal.aborted) return;
      log(`worker: stopped (${reason}); starting again in ${String(wait / 1000)} s`);
      await sleep(wait, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      worker = await startWorker(config, { log }).catch((error: unknown) => ({
        run: Promise.reject(error instanceof Error ? error : new Error(String(error))),
        close: () => Promise.resolve(),
      }));
    }
  })();
  return async () => {
    closing.abort();
    await worker.close();
    await supervision;
  };
}

/** The configuration with the ports that the parts will really listen on. */
async function withPorts(config: Config, { ports }: StackOptions): Promise<Config> {
  const usual = loadConfig({});
  const choose = (variable: string, port: number, usually: number): Promise<number> => {
    const wanted = { variable, host: LOOPBACK, port };
    return ports === 'as_set' ? portAsSet(wanted) : portWhereFree(wanted, usually);
  };
  const { temporal, simulator, api } = config;
  const chosen = {
    temporal: temporal.embedded
      ? await choose('TEMPORAL_PORT', temporal.port, usual.temporal.port)
      : temporal.port,
    ui: temporal.embedded
      ? await choose('TEMPORAL_UI_PORT', temporal.ui_port, usual.temporal.ui_port)
      : temporal.ui_port,
    simulator: config.replicate.simulated
      ? await choose(
          'SIMULATOR_PORT',
          simulator.port === usual.simulator.port && ports === 'where_free'
            ? ((await rememberedSimulatorPort(config.data_dir)) ?? simulator.port)
            : simulator.port,
          usual.simulator.port,
        )
      : simulator.port,
    api: await portAsSet({
      variable: 'PORT',
      host: api.host,
      // Beside others, the API takes whatever port it gets; HOST has to be of this machine all the same.
      port: ports === 'where_free' ? 0 : api.port,
    }),
  };
  return {
    ...config,
    temporal: { ...temporal, port: chosen.temporal, ui_port: chosen.ui },
    simulator: { ...simulator, port: chosen.simulator },
    api: { ...api, port: chosen.api },
  };
}

const withTemporalAt = (config: Config, address: string): Config => ({
  ...config,
  temporal: {
    ...config.temporal,
    address,
    connection: { ...config.temporal.connection, address },
  },
});
