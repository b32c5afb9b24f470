/**
 * Finds a stack for a command: the one that answers at HOST:PORT, the one that another command runs on the same data
 * folder, or one that is started here. Prints which. Never starts a second stack on a folder that is in use.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { claimDataDir, isHeldBy } from '../embedded/data-dir-claim.js';
import type { HeldClaim, Holder } from '../embedded/data-dir-claim.js';
import { isLoopback } from '../domain/values/loopback.js';
import { withoutTrailing } from '../domain/values/trim-ends.js';
import { localUrl } from '../http/ports.js';
import { startStack } from './stack.js';
import { createClient, type Client } from '../client/create-client.js';
import type { Readiness } from '../client/wire.js';
import { oneLine } from '../terminal/format.js';

export interface Connected {
  api: Client;
  /** Temporal Web UI's page of a job; null where no Web UI is known. */
  uiUrl: (jobId: string) => string | null;
  /** The stack lives in this process and ends with it. */
  embedded: boolean;
  /** True when the stack will not come back. The command waits for other stacks that do not answer. */
  isGone: () => Promise<boolean>;
  close(): Promise<void>;
}

interface FindOptions {
  say: (text: string) => void;
  signal: AbortSignal;
}

const NEVER_GONE = (): Promise<boolean> => Promise.resolve(false);
const KEEP_RUNNING = (): Promise<void> => Promise.resolve();
/** Milliseconds in which a stack says whether it is ready. */
const LOOK = 3_000;
/** Milliseconds. A stack that was just started answers before its worker polls. */
const READY_TIMEOUT = 15_000;
const POLL = 200;

export async function findStack(config: Config, options: FindOptions): Promise<Connected> {
  const key = config.api.keys[0] ?? null;
  const url = localUrl(config.api.host, config.api.port);
  const running = await waitUntilReady(url, options);
  if (running !== null) {
    options.say(`Using the running stack at ${url}`);
    return connected(createClient({ baseUrl: url, apiKey: key }), running, {
      embedded: false,
      isGone: NEVER_GONE,
      close: KEEP_RUNNING,
    });
  }
  if (!config.temporal.embedded) return embedded(config, null, options);
  for (let waited = false; ; waited = true) {
    options.signal.throwIfAborted();
    const claim = await claimDataDir(config.data_dir, 'generate');
    if (claim.kind === 'held') return embedded(config, claim.claim, options);
    const borrowed = await borrow(claim.holder, key, options);
    if (borrowed !== null) return borrowed;
    if (!waited) {
      options.say(
        `Waiting for process ${String(claim.holder.pid)} (npm run ${claim.holder.command}), which uses ${config.data_dir}`,
      );
    }
    await sleep(POLL, undefined, { signal: options.signal });
  }
}

/** Null where no API of ours answers. */
const readiness = (url: string): Promise<Readiness | null> =>
  createClient({ baseUrl: url })
    .readiness({ timeoutMs: LOOK })
    .catch(() => null);

async function waitUntilReady(
  url: string,
  { say, signal }: FindOptions,
): Promise<Readiness | null> {
  const until = Date.now() + READY_TIMEOUT;
  for (let waited = false; ; waited = true) {
    const state = await readiness(url);
    if (state === null || state.ready) return state;
    if (Date.now() > until) {
      say(`The stack at ${url} is not ready; starting one for this command`);
      return null;
    }
    if (!waited) say(`Waiting for the stack at ${url} to be ready`);
    await sleep(POLL, undefined, { signal });
  }
}

async function borrow(
  holder: Holder,
  key: string | null,
  { say }: FindOptions,
): Promise<Connected | null> {
  if (holder.url === null) return null;
  const state = await readiness(holder.url);
  if (state === null) return null;
  say(
    `Using the stack of process ${String(holder.pid)} (npm run ${holder.command}) at ${holder.url}`,
  );
  return connected(createClient({ baseUrl: holder.url, apiKey: key }), state, {
    embedded: false,
    isGone: () => Promise.resolve(!isHeldBy(holder)),
    close: KEEP_RUNNING,
  });
}

async function embedded(
  config: Config,
  claim: HeldClaim | null,
  { say, signal }: FindOptions,
): Promise<Connected> {
  say(startingText(config));
  try {
    const stack = await startStack(quiet(config), {
      ports: 'where_free',
      log: (line) => {
        say(oneLine(line));
      },
      signal,
    });
    await claim?.publish(stack.url);
    const state = await readiness(stack.url);
    const api = createClient({ baseUrl: stack.url, apiKey: config.api.keys[0] ?? null });
    return connected(
      api,
      { ui_url: stack.ui_url ?? state?.ui_url ?? null, namespace: config.temporal.namespace },
      {
        embedded: true,
        isGone: NEVER_GONE,
        async close() {
          await stack.close();
          await claim?.release();
        },
      },
    );
  } catch (error) {
    await claim?.release();
    throw error;
  }
}

function startingText({ temporal, replicate, data_dir }: Config): string {
  const parts = [
    temporal.embedded ? 'Temporal' : null,
    replicate.simulated ? 'the simulator (no REPLICATE_API_TOKEN)' : null,
    'a worker',
    'the API',
  ].filter((part) => part !== null);
  const where = isLoopback(temporal.address.replace(/:\d+$/, ''))
    ? ''
    : ` with ${temporal.address}`;
  return `Starting ${parts.join(', ')}${where}; data in ${data_dir}`;
}

/** Failed attempts are shown on the screen; the log need not repeat them. */
const quiet = (config: Config): Config => ({
  ...config,
  log_level:
    config.log_level === 'debug' || config.log_level === 'trace' ? config.log_level : 'error',
});

const connected = (
  api: Client,
  { ui_url, namespace }: Pick<Readiness, 'ui_url' | 'namespace'>,
  rest: Pick<Connected, 'embedded' | 'isGone' | 'close'>,
): Connected => ({
  api,
  uiUrl: (jobId) =>
    ui_url === null
      ? null
      : `${withoutTrailing(ui_url, '/')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(jobId)}`,
  ...rest,
});
