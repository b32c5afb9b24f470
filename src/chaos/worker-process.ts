/**
 * A worker of a chaos run: the product's own, with time-outs and limits small enough to be lived through, and a clock that may
 * jump. argv: their JSON.
 */
import './jumping-clock.js';
import { runUntilSignal } from '../commands/process.js';
import { loadConfig } from '../config.js';
import type { HistoryLimits, Timings } from '../domain/activity.js';
import { startWorker } from '../worker.js';

export interface WorkerSettings {
  timings: Timings;
  history_limits: HistoryLimits;
}

const deps = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;

process.exit(
  await runUntilSignal(async () => {
    const worker = await startWorker(loadConfig(), { deps });
    console.log('ready');
    return worker;
  }),
);
