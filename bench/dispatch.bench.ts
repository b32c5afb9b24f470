/** Batches against a window: the same 25 clips of uneven length, five at a time, at the same time on one machine. */
import type { Job } from '../src/domain/job/job.schema.js';
import { planOf } from '../test/support/plans.js';
import { once, report, timed } from './support/figures.js';
import { quickWorld } from './support/quick-world.js';

const CLIPS = 25;
const AT_ONCE = 5;
/** Seconds of rendering: mostly short, some long, as prompts are. */
const LENGTHS = [1, 1.5, 1, 4, 2, 1, 6, 1.5, 1, 2.5];
const lengths = Array.from({ length: CLIPS }, (_, index) => LENGTHS[index % LENGTHS.length] ?? 1);

/** What each way would take if nothing but rendering took time. */
const IDEAL = {
  batches: () => {
    const starts = lengths.map((_, index) => index).filter((index) => index % AT_ONCE === 0);
    return starts
      .map((start) => Math.max(...lengths.slice(start, start + AT_ONCE)))
      .reduce((sum, longest) => sum + longest, 0);
  },
  window: () => {
    const lanes = Array.from({ length: AT_ONCE }, () => 0);
    for (const length of lengths) {
      const free = lanes.indexOf(Math.min(...lanes));
      lanes[free] = (lanes[free] ?? 0) + length;
    }
    return Math.max(...lanes);
  },
};

once('batches and window', async () => {
  await using world = await quickWorld();
  const row = async (dispatch: 'batches' | 'window') => {
    const prompts = lengths.map((length, index) => `[[slow:${String(length)}]] ${String(index)}`);
    const { seconds } = await timed(async () => {
      const run = await world.start(planOf(prompts, { dispatch, batch_size: AT_ONCE }));
      return (await run.handle.result()) as Job;
    });
    return { dispatch, seconds, 'seconds of rendering alone': IDEAL[dispatch]() };
  };
  await world.start(planOf(['warm up'])).then((run) => run.end());
  report({
    title: `${String(CLIPS)} clips of uneven length, ${String(AT_ONCE)} at a time`,
    rows: await Promise.all([row('batches'), row('window')]),
    ratios: ['seconds', 'seconds of rendering alone'],
  });
});
