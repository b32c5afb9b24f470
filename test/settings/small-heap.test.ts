/** The heap of a process of its own that allocates much, starts a thread, and comes to rest. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const MB = 2 ** 20;

const figuresOf = async (...words: string[]): Promise<number[]> => {
  const { stdout } = await run(process.execPath, words);
  return JSON.parse(stdout) as number[];
};

it('keeps the young generations of a process and its threads small under any load', async () => {
  const [main, thread, more] = await figuresOf('test/support/young-generations.mjs');
  expect(main).toBeLessThanOrEqual(4 * MB);
  expect(thread).toBeLessThanOrEqual(4 * MB);
  expect(more).toBeLessThanOrEqual(0);
});

it('returns the memory of finished work when a process becomes idle', async () => {
  const [busy = NaN, rested = NaN] = await figuresOf(
    '--input-type=module',
    '-e',
    `
      import './dist/src/settings/small-heap.js';
      import { getHeapStatistics } from 'node:v8';
      const total = () => getHeapStatistics().total_heap_size;
      let kept = Array.from({ length: 1e6 }, (_, i) => ({ i, more: [i] }));
      const busy = kept.length > 0 ? total() : 0;
      kept = [];
      const look = setInterval(() => {
        if (total() > busy / 2) return;
        clearInterval(look);
        console.log(JSON.stringify([busy, total()]));
      }, 50);
    `,
  );
  expect(rested).toBeLessThan(busy / 2);
});
