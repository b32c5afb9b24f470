/**
 * A process that parses and decodes bytes from outside for its parent: one task after another, each under the limits of its
 * request. It loads what a task needs with the first such task, and keeps it. It has no secret: its environment is what the pool
 * gives it.
 *
 * MEDIA-CHILD-1 It never outlives its parent: the end of the channel ends it, and its guard does while it is busy.
 */
import { Worker } from 'node:worker_threads';
import { CELL } from './protocol.js';
import type { GuardData, Reply, Request, TaskName, Tasks, Thrown } from './protocol.js';

type Table = {
  [Name in TaskName]: (input: Tasks[Name]['input']) => Promise<Tasks[Name]['output']>;
};

const TASK_FUNCTIONS: Table = {
  prepare: async () => {
    await Promise.all([import('./measure.js'), import('./thumbnail.js')]);
    return null;
  },
  measure: async ({ file }) => (await import('./measure.js')).measureFile(file),
  thumbnail: async ({ file, at }) => (await import('./thumbnail.js')).thumbnailOf(file, at),
  inspect: async ({ bytes, keep }) => (await import('./image.js')).inspectAndKeep(bytes, keep),
  compose: async (parts) => (await import('./composite.js')).buildComposite(parts),
};

// Not `exit`, which waits for native threads that may be decoding.
const kill = (): void => void process.kill(process.pid, 'SIGKILL');

const cells = new Int32Array(
  new SharedArrayBuffer(Object.keys(CELL).length * Int32Array.BYTES_PER_ELEMENT),
);
const workerData: GuardData = { cells, parent: process.ppid };
const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 8 };
new Worker(new URL('./guard.js', import.meta.url), { workerData, resourceLimits }).unref();

let count = 0;

async function serve({ task, input, limits }: Request): Promise<Reply> {
  Atomics.store(cells, CELL.MEGABYTES, limits.megabytes);
  Atomics.store(cells, CELL.CPU_MS, limits.cpu_seconds * 1000);
  Atomics.store(cells, CELL.TASK, ++count);
  Atomics.notify(cells, CELL.TASK);
  const work = TASK_FUNCTIONS[task] as (input: unknown) => Promise<unknown>;
  try {
    const value = await work(input);
    return { type: 'done', value, resident: process.memoryUsage.rss() };
  } catch (error) {
    return { type: 'thrown', error: thrown(error), resident: process.memoryUsage.rss() };
  } finally {
    Atomics.store(cells, CELL.TASK, 0);
    Atomics.notify(cells, CELL.TASK);
  }
}

function thrown(error: unknown): Thrown {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const index = 'index' in error && typeof error.index === 'number' ? { index: error.index } : {};
  return { name, message, ...index };
}

// Ctrl-C reaches the whole process group; this process ends when its parent does.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.on('disconnect', kill); // MEDIA-CHILD-1
process.on('message', (request: Request) => {
  void serve(request).then((reply) => process.send?.(reply));
});
if (!process.connected) kill();
