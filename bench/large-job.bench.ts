/** What a job costs as it grows: time, history, the size of its answers, and how fast it gives them. */
import { byteLength } from '../src/domain/plan/plan.schema.js';
import { eventsQuery } from '../src/contract/workflow.js';
import { planOf } from '../test/support/plans.js';
import type { Run, World } from '../test/support/world.js';
import { once, quantile, report, timed } from './support/figures.js';
import { quickWorld } from './support/quick-world.js';

const PROMPT = 'A quiet harbour in the rain, seen from a slow boat. '.repeat(17);

/** Asks again and again while the job runs; how long the answers took. */
async function askUntil(run: Run, isOver: () => boolean): Promise<number[]> {
  const taken: number[] = [];
  while (!isOver()) {
    const { seconds } = await timed(() => run.progress());
    taken.push(seconds * 1000);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return taken;
}

async function measure(world: World, clips: number) {
  const prompts = Array.from({ length: clips }, (_, index) => `${String(index % 4)} ${PROMPT}`);
  let isOver = false;
  let asking: Promise<number[]> = Promise.resolve([]);
  let run!: Run;
  const { seconds } = await timed(async () => {
    run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 100 }));
    asking = askUntil(run, () => isOver);
    await run.handle.result();
    isOver = true;
  });
  const answers = await asking;
  const { historyLength, historySize } = await run.handle.describe();
  // A finished workflow is in no worker's memory: this is a replay of its whole history.
  const cold = await timed(() => run.progress());
  const page = await run.handle.query(eventsQuery, cold.value.seq - 500);
  return {
    clips,
    'ms a clip': (seconds / clips) * 1000,
    'history events a clip': historyLength / clips,
    'history KiB a clip': (historySize ?? 0) / clips / 1024,
    'progress KiB': byteLength(cold.value) / 1024,
    'largest page KiB': byteLength(page) / 1024,
    'query ms': quantile(answers, 0.5),
    'query after the end ms': cold.seconds * 1000,
  };
}

once('a job as it grows', async () => {
  await using world = await quickWorld();
  await world.start(planOf(['warm up'])).then((run) => run.end());
  const rows = [];
  for (const clips of [10, 100, 1_000]) rows.push(await measure(world, clips));
  report({
    title: 'A job as it grows: window of 100, prompts of 900 characters, renders that take no time',
    rows,
    ratios: ['ms a clip', 'history events a clip', 'history KiB a clip', 'query after the end ms'],
  });
});
