/**
 * `npm start`: everything in one process until Ctrl-C. Says where the page, the API's documentation and Temporal's
 * Web UI are; stops in order, so that running clips are handed over and resume at the next start.
 */
import '../settings/small-heap.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError, graceOf, runUntilSignal } from './process.js';
import type { Running } from './process.js';
import { loadConfig, requireWritable } from '../config.js';
import type { Config } from '../config.js';
import { claimDataDir } from '../embedded/data-dir-claim.js';
import type { HeldClaim } from '../embedded/data-dir-claim.js';
import { portAsSet } from '../http/ports.js';
import type { Stack } from './stack.js';
import { createLogger, reportsTo } from '../logging/logger.js';
import { parseSwitches } from '../terminal/arguments.js';
import { SIMULATOR_NOTICE } from '../terminal/frame.js';

const POLL = 200;

export async function main(argv: string[]): Promise<number> {
  const parsed = parseSwitches(argv, []);
  if (!parsed.ok) {
    console.error(`npm start: ${parsed.message}`);
    return 2;
  }
  return runUntilSignal(start);
}

async function start(signal: AbortSignal): Promise<Running> {
  const config = loadConfig();
  requireWritable(config.data_dir);
  const { host, port } = config.api;
  // Before anything is started: most often a stack runs already.
  await portAsSet({ variable: 'PORT', host, port });
  const claim = config.temporal.embedded ? await claimFolder(config, signal) : null;
  try {
    console.log(`Starting; data in ${config.data_dir}`);
    const { startStack } = await import('./stack.js'); // small-heap.ts
    const log = reportsTo(createLogger({ level: config.log_level }));
    const stack = await startStack(config, { ports: 'as_set', log, signal });
    await claim?.publish(stack.url);
    console.log(welcome(config, stack));
    return {
      grace: graceOf(config),
      async close() {
        console.log('Stopping; running clips are handed over and resume at the next start');
        await stack.close();
        await claim?.release();
      },
    };
  } catch (error) {
    await claim?.release();
    throw error;
  }
}

/** Waits for a `generate`, which ends by itself. Refuses next to another `start`, which does not. */
async function claimFolder(config: Config, signal: AbortSignal): Promise<HeldClaim> {
  for (let waited = false; ; waited = true) {
    const claim = await claimDataDir(config.data_dir, 'start');
    if (claim.kind === 'held') return claim.claim;
    const { pid, command, url } = claim.holder;
    const who = `process ${String(pid)} (npm run ${command})`;
    if (command !== 'generate') {
      throw new UserError(
        `DATA_DIR: expected an unused folder, got ${config.data_dir}, which ${who} uses${url === null ? '' : ` at ${url}`}; stop it or set DATA_DIR.`,
      );
    }
    if (!waited) console.log(`Waiting for ${who}, which uses ${config.data_dir}`);
    await sleep(POLL, undefined, { signal });
  }
}

function welcome(config: Config, stack: Stack): string {
  const lines = [
    ['Page', `${stack.url}/`],
    ['API docs', `${stack.url}/docs`],
    [
      'Temporal',
      stack.ui_url ?? `${config.temporal.address}, namespace ${config.temporal.namespace}`,
    ],
    stack.simulator_url === null
      ? null
      : ['Renders', `${SIMULATOR_NOTICE} (${stack.simulator_url})`],
  ].filter((line) => line !== null);
  return [
    ...lines.map(([name, text]) => `${(name ?? '').padEnd(9)} ${text ?? ''}`),
    'Ctrl-C stops it.',
  ].join('\n');
}
