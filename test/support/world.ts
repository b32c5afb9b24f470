/**
 * A small world for scenarios: a simulator, a task queue and a data folder of its own on the shared Temporal
 * server, worker processes that can be killed for real, and the ledgers of both sides to compare.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { inject } from 'vitest';
import { storedPayloads } from '../../src/adapters/storage/payload-files.js';
import type { Pace } from '../../src/adapters/temporal/gone-versions.js';
import type { Store } from '../../src/adapters/storage/store.js';
import { withCodec } from '../../src/adapters/temporal/data-converter.js';
import { loadConfig } from '../../src/config.js';
import type { HistoryLimits } from '../../src/contract/activities.js';
import type { EventPage } from '../../src/domain/job/pages.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import type { Catalogue } from '../../src/domain/models/row.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { startSimulator } from '../../src/simulator/index.js';
import type { Simulator } from '../../src/simulator/index.js';
import type { SimulatorStats } from '../../src/simulator/stats.js';
import { eventsQuery, progressQuery, WORKFLOW_TYPE } from '../../src/contract/workflow.js';
import { ALIVE } from '../domain/models/rows.js';
import type { Bucket } from './bucket.js';
import { eventually } from './eventually.js';
import { testFolder } from './test-folder.js';
import type { TestFolder } from './test-folder.js';
import { openStore } from '../../src/adapters/storage/open-store.js';

/**
 * Of plans that name none: two lengths, one price, no seed, minutes rather than seconds a clip. As if it were active, even
 * when it is retired: a scenario has the warnings of its own subject only.
 */
const SCENARIO_MODEL = ALIVE.get('kwaivgi/kling-v2.5-turbo-pro');

const script = fileURLToPath(new URL('./worker-process.mjs', import.meta.url));

interface WorldOptions {
  /** Divides the simulator's times. */
  speed?: number;
  /** Seconds; shorter than the product's, so that time-outs can be lived through. */
  timings?: { start_to_close: number; heartbeat: number };
  /** Names, besides this machine, by which the simulator is asked. */
  provider_hosts?: readonly string[];
  /** Another server than the shared one, for tests that kill it. */
  address?: string;
  /** Another worker program than `worker-process.mjs`. */
  worker?: string;
  env?: Record<string, string>;
  /** Everything is kept in it, below a prefix of this world's own, instead of in the data folder. */
  bucket?: Bucket;
  /** What the provider has; a test may change it on the way. */
  provider_catalogue?: Catalogue;
  /** Milliseconds by which the provider's clock is ahead of this machine's. */
  clock_offset_ms?: number;
}

/** What a worker is told besides its environment. */
export interface WorkerSettings {
  /** Where the simulator reports finished predictions to; the environment takes https only. */
  webhook_url?: string;
  /** Milliseconds between two looks at a prediction, instead of the product's few. */
  poll_interval?: number;
  /** When jobs continue in a new run. */
  history_limits?: HistoryLimits;
  /** How soon jobs of a version without workers are taken over. */
  version_pace?: Pace;
  /** Variables of this worker alone. */
  env?: Record<string, string>;
}

class WorkerProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<unknown>;
  output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = once(child, 'exit');
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** As for a deploy: hands over and exits. */
  async terminate(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.exited;
  }
}

interface WorldParts {
  connection: Connection;
  simulator: Simulator;
  folder: TestFolder;
  dataDir: string;
  store: Store;
  /** The variables that say where the store is. */
  storage: Record<string, string>;
  /** Path of the models that plans may name. */
  models: string;
  address: string;
  options: WorldOptions;
}

export class World implements AsyncDisposable {
  readonly client: Client;
  readonly simulator: Simulator;
  readonly data_dir: string;
  /** Where jobs are kept. */
  readonly store: Store;
  readonly task_queue = `q-${randomUUID()}`;
  readonly #parts: WorldParts;
  readonly #workers: WorkerProcess[] = [];

  private constructor(parts: WorldParts) {
    const { connection, simulator, dataDir, store } = parts;
    const { codec_keys } = loadConfig({ CODEC_KEYS: parts.options.env?.['CODEC_KEYS'] });
    this.client = new Client({
      connection,
      dataConverter: withCodec(storedPayloads(store), codec_keys),
    });
    this.simulator = simulator;
    this.data_dir = dataDir;
    this.store = store;
    this.#parts = parts;
  }

  static async create(options: WorldOptions = {}): Promise<World> {
    const address = options.address ?? inject('temporalAddress');
    const folder = testFolder('world');
    const dataDir = path.join(folder.path, 'data');
    await mkdir(dataDir);
    const simulator = await startSimulator({
      port: 0,
      speed: options.speed ?? 30,
      data_dir: null,
      ...(options.provider_catalogue === undefined
        ? {}
        : { catalogue: options.provider_catalogue }),
      allowed_hosts: options.provider_hosts ?? [],
      settings: { clock_offset_ms: options.clock_offset_ms ?? 0 },
    });
    const models = path.join(folder.path, 'models.json');
    await writeFile(models, JSON.stringify({ models: [SCENARIO_MODEL] }));
    const connection = await Connection.connect({ address });
    const storage = options.bucket?.env(path.basename(folder.path)) ?? {};
    const store = await openStore(loadConfig({ DATA_DIR: dataDir, ...storage }));
    const parts = { connection, simulator, folder, dataDir, store, storage };
    return new World({ ...parts, models, address, options });
  }

  get env(): Record<string, string> {
    return {
      REPLICATE_API_TOKEN: 'r8_scenario',
      REPLICATE_BASE_URL: this.simulator.url,
      TEMPORAL_ADDRESS: this.#parts.address,
      TEMPORAL_TASK_QUEUE: this.task_queue,
      DATA_DIR: this.data_dir,
      ...this.#parts.storage,
      VIDEO_GENERATOR_MODEL: SCENARIO_MODEL?.id ?? '',
      MODEL_CATALOGUE: this.#parts.models,
      ...this.#parts.options.env,
    };
  }

  async startWorker({ env = {}, ...settings }: WorkerSettings = {}): Promise<WorkerProcess> {
    const { timings, worker: program = script } = this.#parts.options;
    const words = [JSON.stringify(timings ?? null), JSON.stringify(settings)];
    const child = spawn(process.execPath, [program, ...words], {
      env: { PATH: process.env['PATH'], ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const worker = new WorkerProcess(child);
    this.#workers.push(worker);
    const lines = createInterface({ input: child.stdout });
    const ready = (async () => {
      for await (const line of lines) if (line === 'ready') return true;
      return false;
    })();
    if (!(await ready)) throw new Error(`the worker did not start: ${worker.output}`);
    return worker;
  }

  /** Another worker in the place of the newest, gracefully. */
  async deploy(): Promise<WorkerProcess> {
    await this.#workers.at(-1)?.terminate();
    return this.startWorker();
  }

  async start(plan: Plan): Promise<Run> {
    const workflowId = `job-${randomUUID()}`;
    const handle = await this.client.workflow.start(WORKFLOW_TYPE, {
      taskQueue: this.task_queue,
      workflowId,
      args: [plan],
    });
    return new Run(handle, handle.firstExecutionRunId);
  }

  async stats(): Promise<SimulatorStats> {
    return (await (await fetch(`${this.#control}/stats`)).json()) as SimulatorStats;
  }

  async control(method: string, route: string, body?: unknown): Promise<void> {
    const response = await fetch(`${this.#control}${route}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${route}: ${await response.text()}`);
  }

  get #control(): string {
    return this.simulator.url.replace(/\/v1$/, '/simulator');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#workers.filter((worker) => worker.isRunning).map((worker) => worker.kill()),
    );
    await this.simulator.close();
    await this.#parts.connection.close();
    this.#parts.folder.remove();
  }
}

/** One job of a world. */
export class Run {
  readonly handle: WorkflowHandle;
  readonly first_run_id: string;

  constructor(handle: WorkflowHandle, firstRunId = '') {
    this.handle = handle;
    this.first_run_id = firstRunId;
  }

  progress(): Promise<Job> {
    return this.handle.query(progressQuery);
  }

  async events(): Promise<JobEvent[]> {
    const events: JobEvent[] = [];
    for (;;) {
      const page: EventPage = await this.handle.query(eventsQuery, events.length);
      events.push(...page.events);
      if (page.events.length === 0) return events;
    }
  }

  /** The finished job, however it ended. */
  async end(): Promise<Job> {
    await this.handle.result().catch(() => undefined);
    return this.progress();
  }

  /** Waits until the job is as described. */
  until(description: string, isTrue: (job: Job) => boolean): Promise<Job> {
    return eventually(description, async () => {
      const job = await this.progress();
      return { done: isTrue(job), value: job };
    });
  }
}
