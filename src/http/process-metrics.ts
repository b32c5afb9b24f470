/** What Node tells of its process: memory, processor time, garbage collection, event loop. */
import { collectDefaultMetrics, Registry } from 'prom-client';

let ofProcess: Registry | null = null;

/** Once in a process, however many servers show it: its observers never end. */
export function processRegistry(): Registry {
  if (ofProcess === null) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
