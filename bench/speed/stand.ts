/**
 * What is measured, from its provider to its client: the product as it is deployed, each part a process, on an empty
 * DATA_DIR. Peers stand in its place with the same words.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { freePorts } from '../../src/http/ports.js';
import { startTemporal } from '../../src/embedded/temporal-server.js';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { eventStream } from '../../test/support/event-stream.js';
import { testFolder } from '../../test/support/test-folder.js';
import { useOf } from './machine-use.js';
import type { Use } from './machine-use.js';
import { promptsOf } from './order.js';
import type { Heard, Order } from './order.js';
import { Program } from './program.js';
import { Provider } from './provider.js';

export interface Stand extends AsyncDisposable {
  readonly provider: Provider;
  /** Does it take up its jobs again when it was killed? If not, its client posts them once more. */
  readonly resumes: boolean;
  /** Posts the job and follows it to its end. */
  run(order: Order): Promise<Heard>;
  /** What each part of the program itself takes. */
  parts(): Record<string, Use>;
  /** What the server under it takes: Temporal, or what a peer has in its place. */
  engine(): Use;
  /** Kills the part that creates predictions, and starts it again after so many seconds. Resolves when it is killed. */
  strike(down: number): Promise<{ restarted: Promise<void> }>;
}

export interface OwnStand extends Stand {
  /** Of the API. */
  readonly url: string;
}

export interface StandOptions {
  /** Does the provider report what has ended? */
  webhooks?: boolean;
}

type Close = () => Promise<unknown>;

/** A folder, and what runs in it, closed in the opposite order, also when something on the way up fails. */
export async function inFolder<T>(
  start: (folder: string, closers: Close[]) => Promise<T>,
): Promise<T & AsyncDisposable> {
  const { path: folder, remove } = testFolder('speed');
  const closers: Close[] = [async () => remove()];
  const close = async (): Promise<void> => {
    for (const next of closers.splice(0).reverse()) await next();
  };
  try {
    return { ...(await start(folder, closers)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

export const HOST = '127.0.0.1';
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const command = (name: string): string[] => [process.execPath, script('./command.mjs'), name];

/** What the product's npm command of that name sets, such as MALLOC_ARENA_MAX. */
function npmEnvironment(name: 'worker' | 'api'): Record<string, string> {
  const assignments = packageJson.scripts[name].matchAll(/\b([A-Z_]+)=(\S+)/g);
  return Object.fromEntries([...assignments].map(([, key = '', value = '']) => [key, value]));
}

export const startOwnStand = ({ webhooks = false }: StandOptions = {}): Promise<OwnStand> =>
  inFolder(async (folder, closers) => {
    const ports = (await freePorts(HOST, 4)) as [number, number, number, number];
    const [temporalPort, uiPort, apiPort, providerPort] = ports;
    const provider = await Provider.start(providerPort, path.join(folder, 'provider'));
    closers.push(() => provider[Symbol.asyncDispose]());
    const env = {
      DATA_DIR: path.join(folder, 'data'),
      REPLICATE_API_TOKEN: 'r8_bench',
      REPLICATE_BASE_URL: provider.url,
      TEMPORAL_ADDRESS: `${HOST}:${String(temporalPort)}`,
      TEMPORAL_PORT: String(temporalPort),
      TEMPORAL_UI_PORT: String(uiPort),
      TEMPORAL_CLI: findTemporalCli() ?? '',
      PORT: String(apiPort),
      LOG_LEVEL: 'error',
    };
    const temporal = await startTemporal(loadConfig({ ...env, TEMPORAL_ADDRESS: '' }));
    closers.push(() => temporal.close());
    const url = `http://${HOST}:${String(apiPort)}`;
    const starting = [
      {
        name: 'the worker',
        words: webhooks ? [process.execPath, script('./hooked-worker.mjs')] : command('worker'),
        env: { ...env, ...npmEnvironment('worker'), WEBHOOK_URL: `${url}/webhooks/replicate` },
        ready: /Worker: polling/,
      },
      {
        name: 'the API',
        words: command('api'),
        env: { ...env, ...npmEnvironment('api') },
        ready: /Page: /,
      },
    ].map((recipe) => Program.start(recipe));
    closers.push(() =>
      Promise.allSettled(starting.map(async (part) => (await part)[Symbol.asyncDispose]())),
    );
    const [worker, api] = (await Promise.all(starting)) as [Program, Program];
    return {
      provider,
      resumes: true,
      url,
      run: (order: Order) => post(url, order),
      parts: () => ({ worker: worker.use, API: api.use }),
      engine: () => useOf([temporal.pid() ?? 0]),
      strike: (down: number) => strike(worker, down),
    };
  });

export async function strike(
  program: Program,
  down: number,
): Promise<{ restarted: Promise<void> }> {
  await program.kill();
  return { restarted: sleep(down * 1000).then(() => program.start()) };
}

const planOf = (order: Order): Plan => ({
  job_id: order.id,
  dispatch: order.dispatch,
  batch_size: order.at_once,
  clip_prompts: promptsOf(order).map((prompt, clip_index) => ({ clip_index, prompt, duration: 5 })),
});

/** Posts a job as a client does, without following it. */
export async function submit(url: string, order: Order): Promise<void> {
  const response = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(planOf(order)),
  });
  if (!response.ok) throw new Error(`${order.id}: ${await response.text()}`);
}

async function post(url: string, order: Order): Promise<Heard> {
  const heard: Heard = { posted: Date.now(), done: new Map(), stored: new Map(), ended: NaN };
  await submit(url, order);
  for await (const event of eventStream(`${url}/v1/jobs/${order.id}/events?after=0`)) {
    const now = Date.now();
    if (event.type === 'clip.storing') heard.done.set(event.clip_index, now);
    if (event.type === 'clip.completed') heard.stored.set(event.clip_index, now);
    if (event.type === 'job.completed') heard.ended = now;
  }
  return heard;
}
