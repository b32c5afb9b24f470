/**
 * Keeps the heap of a process that runs for long as small as what lives in it. V8 lets the young generation grow to 48 MB,
 * while modules are loaded already, and collects the old one only when it nears a limit that nothing here comes near: of
 * the memory of a worker and an API that had made 50 clips, 80 MB were room for garbage.
 *
 * Sh1 The first import, before the large part of the program is loaded.
 * Sh2 A collection is made where it is worth its 50 ms: while the process has nothing to do, of some garbage; else of half as
 *    much as has been left by the one before.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Again after a thread has started: an isolate that starts sets it back to 2, the least that V8 takes from outside. */
export const keepYoungGenerationSmall = (): void => {
  setFlagsFromString('--semi-space-growth-factor=1');
};

/** Milliseconds between two looks, the share of a core below which a process counts as resting, and what is garbage enough. */
const LOOK = 2_000;
const RESTING = 0.05;
const SOME = 8 * 2 ** 20;

/** Sh2 */
function collectInTime(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let before = process.cpuUsage();
  let least = 0;
  setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const isAtRest = (user + system) / 1000 < RESTING * LOOK;
    if (heap() - least < (isAtRest ? SOME : Math.max(SOME, least / 2))) return;
    collect();
    least = heap();
  }, LOOK).unref();
}

const heap = (): number => getHeapStatistics().total_heap_size;

keepYoungGenerationSmall();
// Megabytes, of threads that are started from now on.
setFlagsFromString('--max-semi-space-size=2');
collectInTime();
