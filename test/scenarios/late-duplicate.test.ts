/** G1, G4: a create that was taken for one that never came through, and shows up when another runs. */
import { expect, it } from 'vitest';
import type { SimulatorStats } from '../../src/simulator/stats.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const until = (world: World, what: string, isTrue: (stats: SimulatorStats) => boolean) =>
  eventually(what, async () => {
    const value = await world.stats();
    return { done: isTrue(value), value };
  });
const held = (stats: SimulatorStats, point: string): string[] =>
  stats.held.flatMap((hold) => (hold.point === point ? [hold.prediction_id ?? ''] : []));

it('is found when the attempt concludes: the better of the two is the clip, the other is ended, and the ledger has both', async () => {
  await using world = await World.create();
  await world.startWorker();
  const lost = '[[accept-then-drop]] [[hold:while-unlisted]]';
  const prompts = ['rendered twice', 'one still runs', 'the other fails'].map(
    (what) => `${lost} ${what}`,
  );
  const wish = (match: string, fault: string): Promise<void> =>
    world.control('POST', '/faults', { match, fault, times: 1 });
  await wish('still runs', 'hold:while-processing');
  const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 3 }));
  const firsts = await until(
    world,
    'three that are not listed',
    (stats) => held(stats, 'while-unlisted').length === 3,
  );
  for (const prompt of prompts) await wish(prompt, 'hold:while-processing');
  await wish('other fails', 'E9828');
  const both = await until(
    world,
    'three more',
    (stats) => stats.creates === 6 && held(stats, 'while-processing').length === 4,
  );
  await world.control('POST', '/release', { point: 'while-unlisted' });
  const before = new Set(firsts.predictions.map(({ id }) => id));
  for (const id of held(both, 'while-processing').filter((one) => !before.has(one))) {
    await world.control('POST', '/release', { prediction_id: id });
  }

  const job = await run.end();
  const stats = await world.stats();
  expectSameLedger(stats, job);
  expect(stats.creates).toBe(6);
  const ends = ({ clips }: Job) =>
    clips.map(({ status, attempt, predictions }) => ({
      status,
      attempt,
      predictions: predictions.map((one) => [
        before.has(one.id) ? 'lost' : 'second',
        one.status,
        one.adopted,
      ]),
    }));
  const clip = { status: 'succeeded', attempt: 1 };
  expect(ends(job)).toEqual([
    {
      ...clip,
      predictions: [
        ['second', 'succeeded', false],
        ['lost', 'succeeded', true],
      ],
    },
    {
      ...clip,
      predictions: [
        ['second', 'succeeded', false],
        ['lost', 'canceled', true],
      ],
    },
    {
      ...clip,
      predictions: [
        ['second', 'failed', false],
        ['lost', 'succeeded', true],
      ],
    },
  ]);
});

it.each([
  ['died', 'kill'],
  ['was replaced', 'terminate'],
] as const)(
  'is found by the execution that takes over from a worker that %s meanwhile',
  async (_, how) => {
    await using world = await World.create({ timings: { start_to_close: 120, heartbeat: 3 } });
    const worker = await world.startWorker();
    const run = await world.start(
      planOf(['[[accept-then-drop]] [[hold:while-unlisted]] an otter']),
    );
    await until(world, 'one unseen', (stats) => held(stats, 'while-unlisted').length === 1);
    await world.control('POST', '/faults', {
      match: 'otter',
      fault: 'hold:while-processing',
      times: 1,
    });
    const both = await until(
      world,
      'another, which is rendered',
      (stats) => held(stats, 'while-processing').length === 1,
    );
    const [second = ''] = held(both, 'while-processing');
    await run.until(
      'the second to be known',
      ({ clips }) => clips[0]?.predictions[0]?.id === second,
    );
    await worker[how]();
    await world.startWorker();
    await world.control('POST', '/release', { point: 'while-unlisted' });
    await world.control('POST', '/release', { prediction_id: second });
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(job.clips[0]?.predictions).toHaveLength(2);
    expectSameLedger(await world.stats(), job);
  },
);

it('is ended with its clip when that is canceled', async () => {
  await using world = await World.create();
  await world.startWorker();
  const run = await world.start(
    planOf(['[[accept-then-drop]] [[hold:while-unlisted]] [[stuck-processing]] a']),
  );
  await until(world, 'two', (stats) => stats.creates === 2);
  await run.until('the second to be known', ({ clips }) => clips[0]?.predictions.length === 1);
  await world.control('POST', '/release', { point: 'while-unlisted' });
  await run.handle.cancel();
  const job = await run.end();
  expect(job.clips[0]).toMatchObject({ status: 'canceled' });
  expect(job.clips[0]?.predictions).toHaveLength(2);
  const stats = await world.stats();
  expectSameLedger(stats, job);
  expect(stats.predictions.map(({ status }) => status)).toEqual(['canceled', 'canceled']);
});
