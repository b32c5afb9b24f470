/** Many readers of one job: what each costs the API, how late the last of them hears, and what Temporal notices. */
import { planOf } from '../test/support/plans.js';
import type { Run, World } from '../test/support/world.js';
import { Child } from './support/child.js';
import { once, quantile, report } from './support/figures.js';
import { quickWorld } from './support/quick-world.js';

const READERS = [1, 10, 100, 1_000];
const EVENTS = 20;

interface Use {
  reads: number;
  rss: number;
  heap: number;
}

/** Nothing but pausing and resuming happens to it: an event each, at a moment of our choosing. */
async function heldJob(world: World): Promise<Run> {
  const run = await world.start(planOf(['[[hold:while-processing]] a long crossing']));
  await run.until('the clip submitted', (job) => job.clips[0]?.predictions.length === 1);
  return run;
}

async function measure(world: World, run: Run, readers: number) {
  await using api = new Child('./api-process.mjs', { env: world.env });
  const { url } = await api.next<{ url: string }>();
  const stream = `${url}/v1/jobs/${run.handle.workflowId}/events`;
  // One reader before all others: the job's own log and snapshot are not theirs.
  await using first = new Child('./listeners-process.mjs', { words: [stream, '1'] });
  await first.next();
  // What the first events need once is not theirs either.
  for (const signal of ['pause', 'resume']) {
    const heard = first.next();
    await run.handle.signal(signal);
    await heard;
  }
  const before = await api.ask<Use>();
  await using many = new Child('./listeners-process.mjs', { words: [stream, String(readers)] });
  await many.next();
  const after = await api.ask<Use>();
  const delays: number[] = [];
  const spreads: number[] = [];
  for (let count = 0; count < EVENTS; count += 1) {
    const heard = many.next<{ delays: number[] }>();
    await run.handle.signal(count % 2 === 0 ? 'pause' : 'resume');
    const all = (await heard).delays;
    delays.push(...all);
    spreads.push(Math.max(...all) - Math.min(...all));
  }
  const end = await api.ask<Use>();
  // Of a few readers the memory is lost in the noise of the process.
  const isMany = readers >= 100;
  return {
    readers,
    'median ms': quantile(delays, 0.5),
    'p99 ms': quantile(delays, 0.99),
    'first to last ms': quantile(spreads, 0.5),
    'KiB a reader': isMany ? (after.heap - before.heap) / readers / 1024 : '–',
    'API process MiB': end.rss / 2 ** 20,
    'reads at Temporal an event': (end.reads - after.reads) / EVENTS,
  };
}

once('readers of one job', async () => {
  await using world = await quickWorld();
  const run = await heldJob(world);
  const rows = [];
  for (const readers of READERS) rows.push(await measure(world, run, readers));
  await run.handle.terminate();
  report({
    title: `Readers of one job: ${String(EVENTS)} events to each, on a socket of its own`,
    rows,
    ratios: ['median ms', 'p99 ms', 'reads at Temporal an event'],
  });
});
