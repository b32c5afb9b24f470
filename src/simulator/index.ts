/**
 * Starts a server that plays Replicate: for running without an account, for tests and for benchmarks. The
 * product never imports it; it meets the product by HTTP only, as Replicate does.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CATALOGUE, type Catalogue } from '../domain/models/index.js';
import { buildApp, type AppOptions } from './app.js';
import { Core } from './core.js';
import { DEFAULT_SETTINGS, type Settings } from './runtime-settings.js';
import { Webhooks } from './webhook-sender.js';

export type { Settings } from './runtime-settings.js';
export { FAULTS } from './faults.js';
export { WEBHOOK_SECRET } from './webhook-sender.js';

export interface SimulatorOptions {
  /** @default '127.0.0.1' */
  host?: string;
  /** Hosts it is asked for besides this machine: `host` or `host:port`. @default [] */
  allowed_hosts?: readonly string[];
  /** 0: any free one. */
  port: number;
  /** Divides queue and render times: a render of 60 s takes 3 s at 20. */
  speed: number;
  /** Predictions, bills and files survive a kill below `<data_dir>/simulator`; null: nothing is kept. */
  data_dir: string | null;
  log?: (line: string) => void;
  settings?: Partial<Omit<Settings, 'speed'>>;
  /** @default the built-in rows */
  catalogue?: Catalogue;
  /** Others than those of app.ts. */
  limits?: AppOptions['limits'];
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
}

export interface Simulator {
  /** For REPLICATE_BASE_URL: ends in /v1. */
  url: string;
  /** The control API: ends in /simulator. */
  control_url: string;
  port: number;
  close(): Promise<void>;
}

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const core = new Core({
    catalogue: options.catalogue ?? CATALOGUE,
    settings: { ...DEFAULT_SETTINGS, speed: options.speed, ...options.settings },
    data_dir: options.data_dir,
    now: options.now ?? Date.now,
    log: options.log ?? (() => undefined),
  });
  const app = buildApp(core, {
    ...(options.allowed_hosts === undefined ? {} : { hosts: options.allowed_hosts }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  try {
    await app.listen({ host, port: options.port });
  } catch (error) {
    core.close();
    throw portError(error, host, options.port);
  }
  const { port } = app.server.address() as AddressInfo;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  // Only now: the process that has the port owns the journal.
  core.compact();
  const webhooks = new Webhooks(core, () => origin);
  for (const record of core.predictions.alive(core.now())) webhooks.schedule(record);
  return {
    url: `${origin}/v1`,
    control_url: `${origin}/simulator`,
    port,
    close: async () => {
      webhooks.close();
      const closed = app.server.listening ? once(app.server, 'close') : Promise.resolve();
      // Ends every connection as a kill would: what is held then is never accepted or answered.
      await app.close();
      await closed;
      core.close();
    },
  };
}

function portError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') return error;
  return new Error(
    `The simulator cannot listen on ${host}:${String(port)}: the port is in use. Stop what uses it (perhaps another simulator), or set SIMULATOR_PORT.`,
    { cause: error },
  );
}
