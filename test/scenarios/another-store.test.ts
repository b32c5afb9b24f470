/** A worker that was given another DATA_DIR leaves the jobs of the first one alone, and says why. */
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { testFolder } from '../support/test-folder.js';
import { World } from '../support/world.js';

it('a job continues only with the DATA_DIR that it was started with, and loses no attempt to another', async () => {
  using own = testFolder('other-store');
  const other = own.path;
  const env: Record<string, string> = {};
  await using world = await World.create({ timings: { start_to_close: 60, heartbeat: 3 }, env });
  const right = await world.startWorker();
  const run = await world.start(planOf(['[[hold:while-processing]] a', 'b'], { batch_size: 1 }));
  await run.until('a prediction', ({ clips }) => clips[0]?.predictions.length === 1);
  await right.kill();

  env['DATA_DIR'] = other;
  const wrong = await world.startWorker();
  await eventually('its refusal', async () => {
    const { raw } = await run.handle.describe();
    const told = raw.pendingActivities?.map(({ lastFailure }) => lastFailure?.message) ?? [];
    const expected = 'expected the store that this job was started with';
    return { done: told.some((text) => text?.startsWith(expected)), value: told };
  });
  await wrong.kill();
  expect(await readdir(other)).not.toEqual(expect.arrayContaining(['claims', 'artifacts']));

  delete env['DATA_DIR'];
  await world.startWorker();
  await world.control('POST', '/release', { all: true });
  const job = await run.end();
  expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
  expect(job.clips.map(({ attempt }) => attempt)).toEqual([1, 1]);
  const stats = await world.stats();
  expect(stats).toMatchObject({ creates: 2, cancels: 0 });
  expectSameLedger(stats, job);
});
