// Bytes of the young generation of a process that works, of a thread of it, and by how much the first grows after that, as JSON.
import { once } from 'node:events';
import { getHeapSpaceStatistics } from 'node:v8';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const young = () =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size;

function work() {
  let kept = [];
  for (let i = 0; i < 3e6; i++) {
    kept.push({ i, more: [i] });
    if (kept.length > 1e5) kept = [];
  }
}

if (isMainThread) {
  const { keepYoungGenerationSmall } = await import('../../dist/src/settings/small-heap.js');
  work();
  const main = young();
  const thread = new Worker(new URL(import.meta.url));
  const [ofThread] = await once(thread, 'message');
  keepYoungGenerationSmall();
  const before = young();
  work();
  console.log(JSON.stringify([main, ofThread, young() - before]));
} else {
  work();
  parentPort.postMessage(young());
}
