// The script that one writes first: p-limit for the window, p-retry around each call. It is all in memory.
import pLimit from 'p-limit';
import pRetry from 'p-retry';
import { create, save, takeOrders, tell, waitFor } from './shared.mjs';

async function run({ id, prompts, at_once }) {
  const limit = pLimit(at_once);
  const clip = async (prompt, index) => {
    // Outside of the limit: while a file is saved, the next clip renders.
    const url = await limit(async () => {
      const prediction = await pRetry(() => create(prompt), { retries: 2 });
      const output = await pRetry(() => waitFor(prediction), { retries: 2 });
      tell({ id, done: index });
      return output;
    });
    await pRetry(() => save(url, { id, index }), { retries: 2 });
    tell({ id, stored: index });
  };
  await Promise.all(prompts.map(clip));
}

await takeOrders(async (order) => {
  run(order).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
