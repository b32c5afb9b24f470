/**
 * Keeps the heap of a long-running process close to the size of its live objects. V8 lets the young generation grow to 48 MB
 * while modules are loaded, and collects the old one only near a limit that this program never reaches: of the memory of a
 * worker and an API that had made 50 clips, 80 MB were room for garbage.
 *
 * SMALL-HEAP-1 This is the first import, before the large part of the program is loaded.
 * SMALL-HEAP-2 A collection takes 50 ms. It is made when the heap has grown by 8 MiB and the process is idle, or when the heap has
 *    grown by half of what the last collection left.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** To be called again after a thread has started: its isolate sets the factor back to 2, the least that V8 takes as a flag. */
export const keepYoungGenerationSmall = (): void => {
  setFlagsFromString('--semi-space-growth-factor=1');
};

/** Milliseconds between two checks. */
const INTERVAL = 2_000;
/** Share of a core below which a process counts as idle. */
const IDLE_LOAD = 0.05;
/** Bytes of growth that are worth a collection. */
const MIN_GROWTH = 8 * 2 ** 20;

/** SMALL-HEAP-2 */
function collectInTime(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let before = process.cpuUsage();
  let afterLast = 0;
  setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const isIdle = (user + system) / 1000 < IDLE_LOAD * INTERVAL;
    const growth = isIdle ? MIN_GROWTH : Math.max(MIN_GROWTH, afterLast / 2);
    if (heap() - afterLast < growth) return;
    collect();
    afterLast = heap();
  }, INTERVAL).unref();
}

const heap = (): number => getHeapStatistics().total_heap_size;

keepYoungGenerationSmall();
// Megabytes, for threads that are started from now on.
setFlagsFromString('--max-semi-space-size=2');
collectInTime();
