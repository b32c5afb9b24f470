/**
 * All parts in one process: Temporal (when no address was given), the simulator (when no token was given), worker
 * and API. Calls their `start…` functions, concurrently where neither needs the other, and closes them one after
 * another: API and its streams, worker (hands its clips over), simulator, Temporal.
 *
 * STACK-1 When a part fails to start, all parts that were started are closed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startApi } from '../api/server.js';
import { loadConfig } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import {
  localUrl,
  portAsSet,
  portWhereFree,
  rememberSimulatorPort,
  rememberedSimulatorPort,
} from '../http/ports.js';
import { startSimulator } from '../simulator/index.js';
import { startTemporal } from '../embedded/temporal-server.js';
import { startWorker } from '../worker.js';

export interface Stack {
  /** Where the API and the page answer. */
  url: string;
  /** Temporal Web UI, where it is known. */
  ui_url: string | null;
  simulator_url: string | null;
  close(): Promise<void>;
}

export interface StackOptions {
  /** `as_set`: the ports of the configuration, or a refusal; `where_free`: other ports where those are taken. */
  ports: 'as_set' | 'where_free';
  log: (line: string) => void;
  /** Aborted when the start is canceled. */
  signal: AbortSignal;
}

const LOOPBACK = '127.0.0.1';

type Close = () => Promise<void>;

/** In the order in which they are closed. */
const PARTS = ['api', 'worker', 'simulator', 'temporal'] as const;
type Closers = Partial<Record<(typeof PARTS)[number], Close | undefined>>;

export async function startStack(config: Config, options: StackOptions): Promise<Stack> {
  const closers: Closers = {};
  const close = async (): Promise<void> => {
    for (const part of PARTS) {
      const next = closers[part];
      closers[part] = undefined;
      await next?.().catch((error: unknown) => {
        options.log(`while stopping: ${errorMessage(error)}`);
      });
    }
  };
  try {
    return { ...(await startParts(config, options, closers)), close };
  } catch (error) {
    await close(); // STACK-1
    throw error;
  }
}

async function startParts(
  config: Config,
  options: StackOptions,
  closers: Closers,
): Promise<Omit<Stack, 'close'>> {
  const { log, signal } = options;
  const planned = await withPorts(config, options);
  signal.throwIfAborted();
  const [temporal, simulator] = await bothOf(
    planned.temporal.embedded ? startTemporal(planned, { log }) : null,
    planned.replicate.simulated ? startOwnSimulator(planned, log) : null,
    (temporal, simulator) => {
      if (temporal) closers.temporal = () => temporal.close();
      if (simulator) closers.simulator = () => simulator.close();
    },
  );
  if (simulator !== null) await rememberSimulatorPort(planned.data_dir, simulator.port);
  const parts = withParts(planned, { temporal, simulator });
  signal.throwIfAborted();
  const [, api] = await bothOf(
    keepWorker(parts, log),
    startApi(parts, options.ports === 'where_free' ? { port: 0 } : {}),
    (worker, api) => {
      if (worker) closers.worker = worker;
      if (api) closers.api = () => api.close();
    },
  );
  const ui_url = temporal?.ui_url ?? null;
  const simulator_url = simulator?.url ?? null;
  const { port } = new URL(api.url);
  return { url: localUrl(parts.api.host, Number(port)), ui_url, simulator_url };
}

/** STACK-1: `started` gets the one that was started also when the other has failed. */
async function bothOf<A, B>(
  first: Promise<A> | A,
  second: Promise<B> | B,
  started: (first: A | null, second: B | null) => void,
): Promise<[A, B]> {
  const [one, other] = await Promise.allSettled([first, second]);
  started(
    one.status === 'fulfilled' ? one.value : null,
    other.status === 'fulfilled' ? other.value : null,
  );
  if (one.status === 'rejected') throw one.reason as Error;
  if (other.status === 'rejected') throw other.reason as Error;
  return [one.value, other.value];
}

const startOwnSimulator = (
  { simulator, api, data_dir, catalogue }: Config,
  log: (line: string) => void,
) =>
  startSimulator({
    host: simulator.host,
    allowed_hosts: [...api.allowed_hosts, simulator.host],
    port: simulator.port,
    speed: simulator.speed,
    data_dir,
    catalogue,
    log,
  });

const MIN_WAIT = 1_000;
const MAX_WAIT = 30_000;

/** A worker that stops by itself is started again, for as long as the stack runs. */
async function keepWorker(config: Config, log: (line: string) => void): Promise<Close> {
  const closing = new AbortController();
  let worker = await startWorker(config, { log });
  const supervision = (async () => {
    for (let wait = MIN_WAIT; ; wait = Math.min(MAX_WAIT, wait * 2)) {
      const reason = await worker.run.then(() => 'no reason given', errorMessage);
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

/** The configuration with the ports that the parts will listen on. */
async function withPorts(config: Config, { ports }: StackOptions): Promise<Config> {
  const defaults = loadConfig({});
  const choose = (variable: string, port: number, defaultPort: number): Promise<number> => {
    const wanted = { variable, host: LOOPBACK, port };
    return ports === 'as_set' ? portAsSet(wanted) : portWhereFree(wanted, defaultPort);
  };
  const { temporal, simulator, api } = config;
  const chosen = {
    temporal: temporal.embedded
      ? await choose('TEMPORAL_PORT', temporal.port, defaults.temporal.port)
      : temporal.port,
    ui: temporal.embedded
      ? await choose('TEMPORAL_UI_PORT', temporal.ui_port, defaults.temporal.ui_port)
      : temporal.ui_port,
    simulator: config.replicate.simulated
      ? await choose(
          'SIMULATOR_PORT',
          simulator.port === defaults.simulator.port && ports === 'where_free'
            ? ((await rememberedSimulatorPort(config.data_dir)) ?? simulator.port)
            : simulator.port,
          defaults.simulator.port,
        )
      : simulator.port,
    api: await portAsSet({
      variable: 'PORT',
      host: api.host,
      // With `where_free` the API takes any port, but HOST has to be an address of this machine all the same.
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

interface Parts {
  temporal: { address: string } | null;
  simulator: { url: string } | null;
}

/** The configuration with the addresses of the parts that were started. */
function withParts(config: Config, { temporal, simulator }: Parts): Config {
  const { connection, ...known } = config.temporal;
  return {
    ...config,
    ...(temporal && {
      temporal: {
        ...known,
        address: temporal.address,
        connection: { ...connection, address: temporal.address },
      },
    }),
    ...(simulator && { replicate: { ...config.replicate, base_url: simulator.url } }),
  };
}
