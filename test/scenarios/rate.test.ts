/** One limit on creates for all workers together, kept by Temporal's own task queue. */
import { expect, it } from 'vitest';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

it('REPLICATE_CREATES_PER_MINUTE holds over two workers together', async () => {
  await using world = await World.create({ env: { REPLICATE_CREATES_PER_MINUTE: '60' } });
  await Promise.all([world.startWorker(), world.startWorker()]);
  const prompts = Array.from({ length: 12 }, (_, index) => String(index));
  const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 12 }));
  await run.end();
  const { predictions } = await world.stats();
  const times = predictions.map(({ created_at }) => Date.parse(created_at)).sort((a, b) => a - b);
  expect(times).toHaveLength(12);
  // One a second, 11 s in all; a limit of each worker by itself would take half of that.
  const span = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  expect(span).toBeGreaterThan(8);
});
