/** G2: a token that stops working in the middle of a render costs the job's rest, and nothing that was paid. */
import { expect, it } from 'vitest';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

it('a token revoked in mid-render shows as unauthorized, stops the rest, and what renders is stored when it works again', async () => {
  await using world = await World.create();
  await world.startWorker();
  const prompts = ['[[hold:while-processing]] a', '[[hold:while-processing]] b', 'c', 'd'];
  const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 2 }));
  await eventually('two renders under way', async () => {
    const stats = await world.stats();
    return { done: stats.held.length === 2, value: stats };
  });
  await run.until('both known', ({ clips }) =>
    clips.slice(0, 2).every(({ predictions }) => predictions.length === 1),
  );
  await world.control('POST', '/settings', { token_revoked: true });
  const stopped = await run.until('the rest is stopped', ({ clips }) =>
    clips.slice(2).every(({ status }) => status === 'canceled'),
  );
  expect(stopped.clips.map(({ error }) => error?.kind)).toEqual([
    undefined,
    undefined,
    'unauthorized',
    'unauthorized',
  ]);
  expect(stopped.clips[0]?.status).toBe('running');
  expect(stopped.warnings.join()).toContain('HTTP 401');
  await world.control('POST', '/release', { all: true });
  await world.control('POST', '/settings', { token_revoked: false });
  const job = await run.end();
  expect(job.clips.map(({ status }) => status)).toEqual([
    'succeeded',
    'succeeded',
    'canceled',
    'canceled',
  ]);
  const stats = await world.stats();
  expect(stats).toMatchObject({ creates: 2, bills: { count: 2 }, cancels: 0 });
  expectSameLedger(stats, job);
});
