/** G1: an answer that never came is not a reason to pay again. */
import { describe, expect, it } from 'vitest';
import { expectSameLedger } from '../support/provider-ledger.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const withPrompt = (
  predictions: readonly { input: Record<string, unknown> }[],
  prompt: string,
): unknown[] => predictions.filter(({ input }) => input['prompt'] === prompt);

const ACCEPTED = [
  'accept-then-drop',
  'accept-then-500',
  'accept-then-502',
  'garbled-201',
  'cut-201',
];
const NOT_ACCEPTED = ['reset', 'http-500', 'http-502-html'];
/** Once each; the first once more for the clip whose prediction shows up in the list only later. */
const struck: Record<string, number> = {
  ...Object.fromEntries([...ACCEPTED, ...NOT_ACCEPTED].map((fault) => [fault, 1])),
  'accept-then-drop': 2,
  'hidden-from-list': 1,
};

describe('an unclear create', () => {
  it('adopts what was created, and creates only when nothing was', async () => {
    await using world = await World.create();
    await world.startWorker();
    const faults = [...ACCEPTED, ...NOT_ACCEPTED, 'accept-then-drop]] [[hidden-from-list:6'];
    const prompts = faults.map((fault) => `[[${fault}]] a barn owl`);
    const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 10 }));
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: faults.length });
    const stats = await world.stats();
    for (const [name, times] of Object.entries(struck))
      expect(stats.struck[name], name).toBe(times);
    expectSameLedger(stats, job);
    const { predictions } = stats;
    for (const [index, prompt] of prompts.entries()) {
      expect(withPrompt(predictions, prompt), prompt).toHaveLength(1);
      expect(job.clips[index]?.predictions, prompt).toHaveLength(1);
      const isAdopted = !NOT_ACCEPTED.some((fault) => prompt.includes(`[[${fault}]]`));
      expect(job.clips[index]?.predictions[0]?.adopted, prompt).toBe(isAdopted);
    }
  });

  it('of two clips with the same input, on a model without seeds, adopts each its own', async () => {
    await using world = await World.create();
    await world.startWorker();
    await world.control('POST', '/faults', { match: 'pair', fault: 'accept-then-drop', times: 2 });
    const run = await world.start(planOf(['a pair at play', 'a pair at play']));
    const job = await run.end();
    expect(job.successful_clips).toBe(2);
    const lines = job.clips.flatMap(({ predictions }) => predictions);
    expect(lines.map(({ adopted }) => adopted)).toEqual([true, true]);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2);
    const stats = await world.stats();
    expect(stats.creates).toBe(2);
    expectSameLedger(stats, job);
  });

  it('of two jobs with the same plan adopts each its own', async () => {
    await using world = await World.create();
    await world.startWorker();
    await world.control('POST', '/faults', { match: 'pair', fault: 'accept-then-drop', times: 2 });
    const runs = await Promise.all([1, 2].map(() => world.start(planOf(['a pair at sea']))));
    const jobs = await Promise.all(runs.map((run) => run.end()));
    const lines = jobs.flatMap((job) => job.clips[0]?.predictions ?? []);
    expect(lines.map(({ adopted }) => adopted)).toEqual([true, true]);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2);
    const stats = await world.stats();
    expect(stats.creates).toBe(2);
    expectSameLedger(stats, ...jobs);
  });

  it('waits for a list that cannot be read, rather than pay twice', async () => {
    await using world = await World.create();
    await world.startWorker();
    await world.control('POST', '/faults', { fault: 'list-500', times: 8 });
    const run = await world.start(planOf(['[[accept-then-drop]] an otter']));
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({
      status: 'succeeded',
      attempt: 1,
      predictions: [{ adopted: true }],
    });
    const stats = await world.stats();
    expect(stats.creates).toBe(1);
    expect(stats.struck).toMatchObject({ 'list-500': 8, 'accept-then-drop': 1 });
    expectSameLedger(stats, job);
  });

  it('finds it where the provider stores more than was sent, under another name, on a list that is slow to be had', async () => {
    await using world = await World.create();
    await world.startWorker();
    await world.control('POST', '/settings', { list_page_size: 2 });
    // Others stand before it on the list.
    const others = await world.start(planOf(['a', 'b', 'c', 'd'].map((name) => `heron ${name}`)));
    await others.until('the others to be created', ({ clips }) =>
      clips.every(({ predictions }) => predictions.length === 1),
    );
    await world.control('POST', '/faults', { fault: 'list-429:1', times: 1 });
    await world.control('POST', '/faults', { match: 'cursor', fault: 'list-garbled', times: 2 });
    const echoes = '[[echo-defaults]] [[echo-files]] [[echo-model]]';
    const run = await world.start(planOf([`[[accept-then-drop]] ${echoes} an ibis`]));
    const job = await run.end();
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', predictions: [{ adopted: true }] });
    const stats = await world.stats();
    expect(stats.creates).toBe(5);
    expect(stats.struck).toMatchObject({ 'echo-model': 1, 'echo-defaults': 1 });
    expectSameLedger(stats, job, await others.end());
  });
});
