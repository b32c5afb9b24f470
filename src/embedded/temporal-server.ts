/**
 * The embedded Temporal server: `temporal server start-dev` with a SQLite file below DATA_DIR, for users without a Temporal
 * of their own. It refuses a port or a database that another program uses, and is ready only when its namespace answers.
 *
 * EMBEDDED-1 It ends with this process, however that dies (bound-child.ts).
 * EMBEDDED-2 A server that ends by itself is started again, on the same port and file, with backoff. Only a server that ran for
 *    a minute resets the backoff.
 * EMBEDDED-3 Of its ports, only gRPC and the Web UI accept calls, the Web UI only through temporal-ui.ts: a browser cannot speak
 *    gRPC, and the HTTP API, which checks neither origin nor key, answers no host at all.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { msToTs } from '@temporalio/common/lib/time.js';
import { connectTemporal } from '../adapters/temporal/connection.js';
import { ConfigError, requireWritable } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { SEARCH_ATTRIBUTES } from '../domain/job/visibility.js';
import { lockDatabase } from './database-lock.js';
import type { DatabaseLock } from './database-lock.js';
import { freePorts, portAsSet } from '../http/ports.js';
import type { WantedPort } from '../http/ports.js';
import { collectServerOutput } from './server-exit.js';
import { refreshTasks } from './task-refresh.js';
import { hiddenLoopback, startWebUiProxy } from './temporal-ui.js';
import type { HostAndPort } from './temporal-ui.js';
import { startBoundChild } from './bound-child.js';
import type { BoundChild } from './bound-child.js';

export interface EmbeddedTemporal {
  address: string;
  ui_url: string;
  /** Of the server; null while it is being started again. */
  pid(): number | null;
  close(): Promise<void>;
}

interface TemporalOptions {
  log?: (line: string) => void;
}

const HOST = '127.0.0.1';
const READY_TIMEOUT_MS = 60_000;
/** Finished jobs stay in the Web UI for a month; the server's own default is a day. */
const RETENTION = '30 days';
/** At once, and when the server's list of jobs is complete. */
const REPAIRS_MS = [0, 15_000] as const;
/** EMBEDDED-2 */
const BACKOFF_MS = { min: 250, max: 15_000, reset_after: 60_000 } as const;

export async function startTemporal(
  config: Config,
  options: TemporalOptions = {},
): Promise<EmbeddedTemporal> {
  const { port, ui_port } = config.temporal;
  const database = path.resolve(config.data_dir, 'temporal.db');
  requireWritable(config.data_dir);
  const lock = await lockDatabase(database);
  try {
    await Promise.all(portsOf(config).map(portAsSet));
    const ui = await hiddenUi();
    const proxy = await startWebUiProxy(
      { host: HOST, port: ui_port },
      ui,
      config.api.allowed_hosts,
    );
    try {
      const keeper = new ServerKeeper(config, { database, ui }, lock, options.log ?? console.error);
      await keeper.start();
      return {
        address: `${HOST}:${String(port)}`,
        ui_url: `http://${HOST}:${String(ui_port)}`,
        pid: () => keeper.pid,
        async close() {
          await proxy.close();
          await keeper.close();
        },
      };
    } catch (error) {
      await proxy.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface ServerPlaces {
  database: string;
  /** Where the Web UI itself listens. */
  ui: HostAndPort;
}

async function hiddenUi(): Promise<HostAndPort> {
  const host = hiddenLoopback();
  const [port = 0] = await freePorts(host, 1);
  return { host, port };
}

type Phase =
  | { kind: 'running'; server: BoundChild; since: number }
  | { kind: 'restarting' }
  | { kind: 'closed' };

class ServerKeeper {
  readonly #config: Config;
  readonly #places: ServerPlaces;
  readonly #lock: DatabaseLock;
  readonly #log: (line: string) => void;
  readonly #closing = new AbortController();
  #phase: Phase = { kind: 'restarting' };
  #restarting: Promise<void> = Promise.resolve();

  constructor(
    config: Config,
    places: ServerPlaces,
    lock: DatabaseLock,
    log: (line: string) => void,
  ) {
    this.#config = config;
    this.#places = places;
    this.#lock = lock;
    this.#log = log;
  }

  get pid(): number | null {
    return this.#phase.kind === 'running' ? this.#phase.server.pid : null;
  }

  async start(): Promise<void> {
    const server = await launch(this.#config, this.#places, this.#closing.signal, (pid) => {
      this.#lock.setServer(pid);
    });
    this.#phase = { kind: 'running', server, since: Date.now() };
    void server.exited.then((exit) => {
      if (this.#phase.kind === 'running') this.#restarting = this.#restart(exit);
    });
    void this.#repair(server);
  }

  /** The server that used this database before may have been killed. */
  async #repair(server: BoundChild): Promise<void> {
    const { port, namespace } = this.#config.temporal;
    const done = new Set<string>();
    for (const delay of REPAIRS_MS) {
      await sleep(delay, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#phase.kind !== 'running' || this.#phase.server !== server) return;
      await refreshTasks(`${HOST}:${String(port)}`, namespace, done).catch((error: unknown) => {
        if (this.pid !== server.pid) return;
        this.#log(
          `temporal: tasks that a crash may have lost could not be made anew: ${errorMessage(error)}`,
        );
      });
    }
  }

  async close(): Promise<void> {
    const phase = this.#phase;
    this.#phase = { kind: 'closed' };
    this.#closing.abort();
    if (phase.kind === 'running') await phase.server.close();
    await this.#restarting;
    this.#lock.release();
  }

  async #restart(exit: string): Promise<void> {
    const ranFor = this.#phase.kind === 'running' ? Date.now() - this.#phase.since : 0;
    this.#phase = { kind: 'restarting' };
    if (ranFor > BACKOFF_MS.reset_after) this.#delay = BACKOFF_MS.min;
    let reason = `the server ended unexpectedly (${exit})`;
    for (;;) {
      this.#log(`temporal: ${reason}; starting it again in ${String(this.#delay / 1000)} s`);
      await sleep(this.#delay, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#isClosed()) return;
      this.#delay = Math.min(this.#delay * 2, BACKOFF_MS.max);
      try {
        await this.start();
        this.#log(`temporal: running again on port ${String(this.#config.temporal.port)}`);
        return;
      } catch (error) {
        if (this.#isClosed()) return;
        reason = errorMessage(error);
      }
    }
  }
  #delay: number = BACKOFF_MS.min;

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }
}

/** Resolves when the namespace answers. A failure before that leaves no process behind. */
async function launch(
  config: Config,
  places: ServerPlaces,
  closing: AbortSignal,
  onStarted: (pid: number) => void,
): Promise<BoundChild> {
  const output = collectServerOutput();
  const server = await startBoundChild(
    findCli(config),
    serverArguments(config, places),
    output.add,
    path.dirname(places.database),
  );
  onStarted(server.pid);
  let exit: string | null = null;
  void server.exited.then((how) => (exit = how));
  try {
    const until = Date.now() + READY_TIMEOUT_MS;
    while (!(await answers(config))) {
      closing.throwIfAborted();
      if (exit !== null) {
        throw output.exitError(exit, { database: places.database, ports: portsOf(config) });
      }
      if (Date.now() > until) {
        throw new Error(`temporal: expected to be ready within 60 s, got: ${output.last()}`);
      }
      await sleep(50);
    }
    closing.throwIfAborted();
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

const portsOf = ({ temporal }: Config): WantedPort[] => [
  { variable: 'TEMPORAL_PORT', host: HOST, port: temporal.port },
  { variable: 'TEMPORAL_UI_PORT', host: HOST, port: temporal.ui_port },
];

/** Run in the folder of the database: the server makes a URL of the file's name, where ?, # and % of a path would be syntax. */
const serverArguments = ({ temporal }: Config, { database, ui }: ServerPlaces): string[] => [
  ...['server', 'start-dev', '--ip', HOST, '--port', String(temporal.port)],
  ...['--ui-ip', ui.host, '--ui-port', String(ui.port), '--namespace', temporal.namespace],
  ...['--db-filename', path.basename(database), '--log-level', 'warn', '--log-format', 'json'],
  // With a write-ahead log a commit is one write instead of three, and survives a loss of power as well.
  ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full'],
  ...Object.entries(SEARCH_ATTRIBUTES).flatMap((pair) => ['--search-attribute', pair.join('=')]),
  // One partition: the creates-per-minute limit of a task queue is divided by their number.
  ...['--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1'],
  ...['--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1'],
  // Jobs share a queue by their fairness keys.
  ...['--dynamic-config-value', 'matching.enableFairness=true'],
  // EMBEDDED-3: the port of the HTTP API cannot be switched off, so it answers no `Host`; Nexus has routes of its own there.
  ...['--dynamic-config-value', 'frontend.httpAllowedHosts=[]'],
  ...['--dynamic-config-value', 'system.enableNexus=false'],
];

/** The server listens within 0.1 s; gRPC would wait for a whole second after the first refusal. */
const FAST_RECONNECT = {
  'grpc.initial_reconnect_backoff_ms': 20,
  'grpc.max_reconnect_backoff_ms': 100,
};

async function answers({ temporal }: Config): Promise<boolean> {
  try {
    const address = `${HOST}:${String(temporal.port)}`;
    const connection = await connectTemporal({
      address,
      connectTimeout: 2_000,
      channelArgs: FAST_RECONNECT,
    });
    try {
      const { namespace } = temporal;
      await connection.withDeadline(Date.now() + 2_000, () =>
        connection.workflowService.updateNamespace({
          namespace,
          config: { workflowExecutionRetentionTtl: msToTs(RETENTION) },
        }),
      );
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}

function findCli(config: Config): string {
  if (config.temporal.cli !== null) return path.resolve(config.temporal.cli);
  throw new ConfigError(
    'TEMPORAL_CLI: expected the path of a `temporal` program, got nothing; start through npm, which finds or builds one, or set TEMPORAL_CLI.',
  );
}
