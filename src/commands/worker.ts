/** `npm run worker`: a worker alone, in the foreground. Any number of them share the work. */
import '../settings/small-heap.js';
import { loadConfig } from '../config.js';
import { createLogger, reportsTo } from '../logging/logger.js';
import { parseSwitches } from '../terminal/arguments.js';
import { graceOf, runUntilSignal } from './process.js';

export async function main(argv: string[]): Promise<number> {
  const parsed = parseSwitches(argv, []);
  if (!parsed.ok) {
    console.error(`npm run worker: ${parsed.message}`);
    return 2;
  }
  return runUntilSignal(async (signal) => {
    const { startWorker } = await import('../worker.js'); // small-heap.ts
    const config = loadConfig();
    const { address, task_queue, namespace } = config.temporal;
    console.log(`Worker: starting, Temporal at ${address}, namespace ${namespace}`);
    const log = reportsTo(createLogger({ level: config.log_level }));
    const worker = await startWorker(config, { log, signal });
    const renders = config.replicate.simulated
      ? `the simulator expected at ${config.replicate.base_url} (npm run simulator); nothing is paid`
      : config.replicate.base_url;
    console.log(`Worker: polling task queue ${task_queue}; renders on ${renders}`);
    return {
      run: worker.run,
      grace: graceOf(config),
      async close() {
        console.log('Worker: stopping, running clips are handed over');
        await worker.close();
      },
    };
  });
}
