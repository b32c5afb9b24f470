/** One limit on creates for all workers together, kept by Temporal's own task queue. */
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
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

it('a small job among large ones waits for its share of the creates, not for their backlog', async () => {
  await using world = await World.create({ env: { REPLICATE_CREATES_PER_MINUTE: '300' } });
  await world.startWorker();
  const prompts = Array.from({ length: 60 }, (_, index) => `large ${String(index)}`);
  const large = planOf(prompts, { dispatch: 'window', batch_size: 60 });
  const others = [await world.start(large), await world.start(large)];
  await eventually('a backlog on the paid queue', async () => {
    const { creates } = await world.stats();
    return { done: creates >= 5, value: creates };
  });
  const before = (await world.stats()).creates;
  const small = await world.start(planOf(['small']));
  await small.end();
  const { predictions } = await world.stats();
  const inOrder = predictions.toSorted(
    (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at),
  );
  const place = inOrder.findIndex(({ input }) => String(input['prompt']).startsWith('small'));
  // 115 were there before it; of three jobs, each third create is its own.
  expect(place - before).toBeLessThan(20);
  await Promise.all(others.map(({ handle }) => handle.terminate()));
});
