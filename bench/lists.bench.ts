/** What lists and figures take with 20,000 finished jobs, and what an API process needs that has just started. */
import { once, report } from './support/figures.js';
import { measureBackfill, measureLists, worldWithRunning } from './size/lists.js';

once('lists of 20,000 finished jobs', async () => {
  await using world = await worldWithRunning();
  report({
    title: '20,000 finished jobs and 50 that run',
    rows: await measureLists(world),
    ratios: [],
  });
});

once('20,000 finished jobs of an older release', async () => {
  await using world = await worldWithRunning();
  report({ title: 'The index made anew', rows: await measureBackfill(world), ratios: [] });
});
