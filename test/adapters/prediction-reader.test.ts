/** Many predictions by one list: asked for by the provider's own times, and no more often than the provider likes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPredictionIndex } from '../../src/adapters/prediction-index.js';
import { createPredictionReader } from '../../src/adapters/prediction-reader.js';
import type { PageOutcome, Replicate, Span } from '../../src/adapters/replicate.js';
import { rendered } from '../activities/rendered.js';
import { BusyAccount } from '../support/busy-account.js';

const { signal } = new AbortController();
const MANY = Array.from({ length: 12 }, (_, index) => `p${String(index)}`);
const BORN = '2031-05-05T05:05:05.000Z';

function provider(listed: () => PageOutcome) {
  const asked = { list: [] as number[], get: [] as string[] };
  const replicate = {
    get: (id: string) => {
      asked.get.push(id);
      const prediction = { ...rendered(id), status: 'processing', created_at: BORN };
      return Promise.resolve({ type: 'found', prediction });
    },
    page: (of: Span) => {
      asked.list.push(of.after);
      return Promise.resolve(listed());
    },
  } as unknown as Replicate;
  return { asked, reader: createPredictionReader(replicate, createPredictionIndex(replicate)) };
}

const page = (ids: readonly string[]): PageOutcome => ({
  type: 'page',
  predictions: ids.map((id) => ({ ...rendered(id), status: 'processing', created_at: BORN })),
  odd: 0,
  next: null,
});

it('lists from when the oldest began by the provider, once each of unknown age has been read alone', async () => {
  const { asked, reader } = provider(() => page(MANY));
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
    expect(await reading.read(signal)).toMatchObject({ type: 'unreadable' });
  }
  expect(asked.get).toEqual([]);
  expect(asked.list).toHaveLength(1);
});

it('reads by itself one that the list leaves out, however often it had it before', async () => {
  let listed = MANY;
  const { asked, reader } = provider(() => page(listed));
  const [first, ...others] = MANY.map((id) => reader.open(id, BORN));
  for (const one of others) await one.read(signal);
  await first?.read(signal);
  expect(asked.get).toEqual([]);
  listed = MANY.slice(1);
  const later = performance.now() + 6_000;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
  await first?.read(signal);
  clock.mockRestore();
  expect(asked.get).toEqual([MANY[0]]);
  expect(asked.list).toHaveLength(2);
});

describe('a worker with 200 predictions open, on an account on which 500 are created a minute', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([300, 20])(
    'asks less than 600 times a minute where a page takes %i ms, and sees each end',
    async (takes) => {
      const runs = 240_000;
      const account = new BusyAccount({ rate: 500, runs, takes });
      const { replicate } = account;
      const index = createPredictionIndex(replicate);
      const reader = createPredictionReader(replicate, index);
      let ended = 0;
      let isOver = false;
      const follow = async (id: string, created_at: string): Promise<void> => {
        using reading = reader.open(id, created_at);
        while (!isOver) {
          const answer = await reading.read(signal);
          if (answer.type === 'found' && answer.prediction.status === 'succeeded') break;
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
        ended += 1;
      };
      const own = account.running().filter((_, at) => at % 10 === 0);
      for (const { id, created_at } of own) void follow(id, created_at);
      const MINUTES = 3;
      for (let second = 0; second < MINUTES * 60; second++)
        await vi.advanceTimersByTimeAsync(1_000);
      expect(account.requests / MINUTES).toBeLessThan(600);
      // All but the youngest, whose end is yet to come.
      const due = own.filter(({ created_at }) => Date.now() - Date.parse(created_at) > runs + 20e3);
      expect(ended).toBeGreaterThanOrEqual(due.length);
      isOver = true;
      await vi.advanceTimersByTimeAsync(60_000);
    },
  );
});
