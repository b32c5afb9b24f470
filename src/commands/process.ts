/**
 * What all commands share: one stop for any number of signals, and one line instead of a stack trace.
 *
 * COMMAND-1 The signal handlers are in place before the first await.
 * COMMAND-2 The first signal closes gracefully; later ones are ignored; after the grace time the process ends regardless.
 */
import { inspect } from 'node:util';
import { ConfigError, loadConfig } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { manyLines, oneLine } from '../domain/values/foreign-text.js';
import { portRefusal } from '../http/ports.js';

/** Contract: a stop is done within 30 s. */
const GRACE_MS = 27_000;
/** The end of a worker, which may take WORKER_GRACE seconds, and of what is around it. */
export const graceOf = ({ worker }: Pick<Config, 'worker'>): number =>
  Math.max(GRACE_MS, worker.grace * 1000 + 2_000);
/** For a start that does not notice the signal: its children are bound to this process and end with it. */
const START_GRACE_MS = 5_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof SIGNALS)[number];

/** A mistake of the user: its message is the whole story. Exit 2. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

export interface Running {
  close(): Promise<void>;
  /** Milliseconds that closing may take; GRACE_MS unless told. */
  grace?: number;
  /** Settles when it has ended by itself; a rejection ends the command with exit 1. */
  run?: Promise<unknown>;
}

/** Starts something, keeps it until a signal (or until it ends by itself), closes it. Resolves to the exit code. */
export async function runUntilSignal(
  start: (signal: AbortSignal) => Promise<Running>,
): Promise<number> {
  using stop = onStopSignal();
  // Awaited here: `using` removes the signal handlers when this function returns.
  return await runCommand(async () => {
    const starting = start(stop.signal);
    // A start that is late for the race below may still fail.
    starting.catch(() => undefined);
    const running = await Promise.race([starting, after(stop.stopped, START_GRACE_MS)]);
    if (running === 'late') return 0;
    await Promise.race([stop.stopped, ...(running.run ? [running.run] : [])]).catch(
      async (error: unknown) => {
        await within(running.close(), running.grace ?? GRACE_MS);
        throw error;
      },
    );
    await within(running.close(), running.grace ?? GRACE_MS);
    return 0;
  }, stop.signal);
}

/** Runs the body of a command; an error becomes one line and an exit code. */
export async function runCommand(
  body: () => Promise<number>,
  stopped?: AbortSignal,
): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (stopped?.aborted) return 0;
    const { line, code } = explain(error);
    console.error(line);
    if (process.env['LOG_LEVEL'] === 'debug' || process.env['LOG_LEVEL'] === 'trace') {
      console.error(manyLines(inspect(error)));
    }
    return code;
  }
}

interface StopWatch extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves to the first signal. */
  readonly stopped: Promise<StopSignal>;
}

/** Listens for the stop signals until it is disposed of. */
export function onStopSignal(): StopWatch {
  const controller = new AbortController();
  let tell: (signal: StopSignal) => void;
  const stopped = new Promise<StopSignal>((resolve) => (tell = resolve));
  const listeners = SIGNALS.map((name) => {
    const listener = (): void => {
      controller.abort();
      tell(name);
    };
    process.on(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    stopped,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) process.off(name, listener);
    },
  };
}

/** The one line a person sees, and the exit code the contract gives it. */
export function explain(error: unknown): { line: string; code: 1 | 2 } {
  const mistake =
    error instanceof ConfigError || error instanceof UserError ? error : portTaken(error);
  if (mistake !== null) return { line: oneLine(mistake.message), code: 2 };
  const message = errorMessage(error);
  return {
    line: oneLine(message.split('\n', 1)[0] ?? '') || 'failed for an unknown reason',
    code: 1,
  };
}

/** A server's port that was taken in the moment between looking and listening. */
function portTaken(error: unknown): ConfigError | null {
  const { address = 'this machine', port } = Object(error) as { address?: string; port?: number };
  if (port === undefined) return null;
  const config = loadConfig();
  const owners: Record<string, number | null> = {
    PORT: config.api.port,
    SIMULATOR_PORT: config.simulator.port,
    TEMPORAL_PORT: config.temporal.port,
    TEMPORAL_UI_PORT: config.temporal.ui_port,
    WORKER_HTTP_PORT: config.worker_http_port,
  };
  const variable = Object.keys(owners).find((name) => owners[name] === port) ?? 'PORT';
  return portRefusal(error, { variable, host: address, port });
}

const after = async (fact: Promise<unknown>, milliseconds: number): Promise<'late'> => {
  await fact;
  await new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
  return 'late';
};

/** Waits no longer than that; late work ends with the process. */
async function within(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      console.error(`stopping took longer than ${String(milliseconds / 1000)} s; ending now`);
      resolve();
    }, milliseconds);
  });
  await Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}
