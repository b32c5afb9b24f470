/** A worker of a chaos run: the product's own, with time-outs short enough to be lived through. argv: their JSON. */
import { runUntilSignal } from '../commands/process.js';
import { loadConfig } from '../config.js';
import type { Timings } from '../domain/activity.js';
import { startWorker } from '../worker.js';

const timings = JSON.parse(process.argv[2] ?? 'null') as Timings;

process.exit(
  await runUntilSignal(async () => {
    const worker = await startWorker(loadConfig(), { deps: { timings } });
    console.log('ready');
    return worker;
  }),
);
