/** From the moment the workflow records a fact until a reader of the stream has it, while clips run. */
import { eventStream } from '../test/support/event-stream.js';
import { planOf } from '../test/support/plans.js';
import type { World } from '../test/support/world.js';
import { Child } from './support/child.js';
import { once, quantile, report } from './support/figures.js';
import { quickWorld } from './support/quick-world.js';

async function measure(world: World, url: string, clips: number) {
  const prompts = Array.from(
    { length: clips },
    (_, index) => `[[slow:${String(1 + (index % 7) / 2)}]] take ${String(index)}`,
  );
  const run = await world.start(planOf(prompts, { batch_size: clips, dispatch: 'window' }));
  const delays: number[] = [];
  for await (const { at } of eventStream(
    `${url}/v1/jobs/${run.handle.workflowId}/events?after=0`,
  )) {
    delays.push(Date.now() - Date.parse(at));
  }
  return {
    'clips at once': clips,
    events: delays.length,
    'median ms': quantile(delays, 0.5),
    'p90 ms': quantile(delays, 0.9),
    'p99 ms': quantile(delays, 0.99),
  };
}

once('event to reader', async () => {
  await using world = await quickWorld();
  await using api = new Child('./api-process.mjs', { env: world.env });
  const { url } = await api.next<{ url: string }>();
  await measure(world, url, 2); // the first job meets cold code
  const rows = [];
  for (const clips of [5, 50]) rows.push(await measure(world, url, clips));
  report({
    title: 'From the workflow to a reader of the stream',
    rows,
    ratios: ['median ms', 'p99 ms'],
  });
});
