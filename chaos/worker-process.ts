/**
 * A worker of a chaos run: the product's own, with time-outs and limits short enough for a run, and a clock that may
 * jump. argv: their JSON.
 */
import './jumping-clock.js';
import { runUntilSignal } from '../src/commands/process.js';
import { loadConfig } from '../src/config.js';
import type { HistoryLimits } from '../src/contract/activities.js';
import type { Timings } from '../src/contract/timings.js';
import { startWorker } from '../src/worker.js';

/** The product's own where absent. */
export interface WorkerSettings {
  timings?: Timings;
  history_limits?: HistoryLimits;
}

const deps = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;

process.exit(
  await runUntilSignal(async () => {
    const worker = await startWorker(loadConfig(), { deps });
    console.log('ready');
    return worker;
  }),
);
