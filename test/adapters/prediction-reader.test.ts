/** Many predictions by one list: asked for by the provider's own times, and no more often than the provider likes. */
import { expect, it } from 'vitest';
import { createPredictionReader } from '../../src/adapters/prediction-reader.js';
import type { ListOutcome, Replicate } from '../../src/adapters/replicate.js';
import { rendered } from '../activities/rendered.js';

const { signal } = new AbortController();
const MANY = Array.from({ length: 12 }, (_, index) => `p${String(index)}`);
const BORN = '2031-05-05T05:05:05.000Z';

function provider(listed: () => ListOutcome) {
  const asked = { list: [] as number[], get: [] as string[] };
  const replicate = {
    get: (id: string) => {
      asked.get.push(id);
      const prediction = { ...rendered(id), status: 'processing', created_at: BORN };
      return Promise.resolve({ type: 'found', prediction });
    },
    list: (after: Date) => {
      asked.list.push(+after);
      return Promise.resolve(listed());
    },
  } as unknown as Replicate;
  return { asked, reader: createPredictionReader(replicate) };
}

it('lists from when the oldest began by the provider, once each of unknown age has been read alone', async () => {
  const running = MANY.map((id) => ({
    ...rendered(id),
    status: 'processing' as const,
    created_at: BORN,
  }));
  const { asked, reader } = provider(() => ({ type: 'listed', predictions: running }));
  const readings = MANY.map((id) => reader.open(id, null));
  for (const reading of readings) await reading.read(signal);
  expect(asked.get).toEqual(MANY);
  expect(asked.list).toEqual([]);
  for (const reading of readings)
    expect(await reading.read(signal)).toMatchObject({ type: 'found' });
  expect(asked.get).toEqual(MANY);
  expect(asked.list).toEqual([Date.parse(BORN) - 2_000]);
});

it('hands on how long the provider wants not to be asked, and asks for none alone meanwhile', async () => {
  const { asked, reader } = provider(() => ({
    type: 'unreadable',
    message: 'HTTP 429',
    retry_after: 7,
  }));
  for (const reading of MANY.map((id) => reader.open(id, BORN))) {
    expect(await reading.read(signal)).toMatchObject({ type: 'unreadable', retry_after: 7 });
  }
  expect(asked.get).toEqual([]);
  expect(asked.list).toHaveLength(1);
});
