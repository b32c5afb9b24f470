/** What renders is read with few requests, in time, and no more often than the provider likes: by a clock that is moved. */
import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPredictionIndex } from '../../../src/adapters/replicate/prediction-index.js';
import { createPredictionReader } from '../../../src/adapters/replicate/prediction-reader.js';
import type {
  OpenReading,
  PredictionReader,
} from '../../../src/adapters/replicate/prediction-reader.js';
import { pausesOf } from '../../../src/adapters/replicate/reading-interval.js';
import { isTerminal } from '../../../src/adapters/replicate/replicate-client.js';
import type {
  ProviderPrediction,
  ReadOutcome,
  Replicate,
} from '../../../src/adapters/replicate/replicate-client.js';
import { Random } from '../../../chaos/random.js';
import { BusyAccount } from '../../support/busy-account.js';
import { passes, RenderingProvider } from '../../support/rendering-provider.js';
import type { ProviderOptions } from '../../support/rendering-provider.js';

const { signal } = new AbortController();
setMaxListeners(0, signal);
const USUAL = 90_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const readerOf = (replicate: Replicate, hours?: 'an hour between looks'): PredictionReader =>
  createPredictionReader(
    replicate,
    createPredictionIndex(replicate),
    hours && { pauses: (renderings) => renderings.map(() => 3_600_000) },
  );

const opened = (reader: PredictionReader, one: ProviderPrediction, isKnown = true): OpenReading =>
  reader.open({
    id: one.id,
    created_at: isKnown ? one.created_at : null,
    kind: 'a model',
    usual: USUAL,
  });

async function endOf(reader: PredictionReader, one: ProviderPrediction): Promise<Followed> {
  using reading = opened(reader, one);
  for (;;) {
    const answer = await reading.next(signal);
    if (answer?.type !== 'found' || !isTerminal(answer.prediction.status)) continue;
    const { prediction } = answer;
    return { prediction, late: Date.now() - Date.parse(prediction.completed_at ?? '') };
  }
}
interface Followed {
  prediction: ProviderPrediction;
  /** Milliseconds after its end. */
  late: number;
}

async function lived<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.finally(() => (isOver = true));
  while (!isOver) await vi.advanceTimersByTimeAsync(1_000);
  return work;
}

/** Milliseconds from the end of one render to the create of the next. */
const TURN = 60;

/** A job: always so many at a time. */
async function window(
  provider: RenderingProvider,
  reader: PredictionReader,
  { times, size }: { times: readonly number[]; size: number },
): Promise<Followed[]> {
  const left = [...times];
  const ends: Followed[] = [];
  const lane = async (): Promise<void> => {
    for (let time = left.shift(); time !== undefined; time = left.shift()) {
      ends.push(await endOf(reader, provider.create(time)));
      await passes(TURN);
    }
  };
  await Promise.all(Array.from({ length: size }, lane));
  return ends;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

type Span = readonly [least: number, most: number];
const drawn = (random: Random, count: number, [least, most]: Span): number[] =>
  Array.from({ length: count }, () => random.integer(least, most));

/** Reads a clip, and how late their ends were told, over jobs, each of a worker that has seen these renders before. */
async function jobs(
  clips: number,
  span: Span,
  { count, before }: { count: number; before: Span[] },
) {
  const reads: number[] = [];
  const late: number[] = [];
  const random = new Random(16);
  for (let job = 0; job < count; job++) {
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate);
    const earlier = before.flatMap((one) => drawn(random, 10, one));
    await lived(window(provider, reader, { times: earlier, size: 5 }));
    const asked = provider.requests;
    const times = drawn(random, clips, span);
    const ends = await lived(window(provider, reader, { times, size: 5 }));
    reads.push((provider.requests - asked) / clips);
    late.push(median(ends.map((end) => end.late)));
  }
  return { reads: mean(reads), late: mean(late) };
}

const SHORT: Span = [500, 3_000];
const LONG: Span = [10_000, 30_000];

describe('five renders at a time', () => {
  it.each([
    ['of a kind that the worker has not seen', []],
    ['that took as long before', [LONG]],
    ['that were short before', [SHORT]],
  ])(
    'of 10 to 30 s, %s, take a third of the reads of polling each 500 ms, and are noticed sooner',
    async (_, before) => {
      const { reads, late } = await jobs(15, LONG, { count: 20, before });
      expect(reads).toBeLessThan(0.35 * 40);
      expect(late).toBeLessThan(210);
    },
  );

  it.each([
    ['of a kind that the worker has not seen', []],
    ['that took long before', [LONG]],
  ])('of 0.5 to 3 s, %s, are noticed within a tenth of a second', async (_, before) => {
    const { reads, late } = await jobs(50, SHORT, { count: 5, before });
    expect(late).toBeLessThan(100);
    expect(reads).toBeLessThan(5);
  });
});

describe('a render of a kind that the worker has seen', () => {
  it('is hardly read before one of them would have ended, and often from then on', async () => {
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate);
    await lived(window(provider, reader, { times: [60_000, 61_000], size: 1 }));
    const one = provider.create(60_500);
    const before = provider.requests;
    const end = endOf(reader, one);
    await vi.advanceTimersByTimeAsync(48_000);
    expect(provider.requests - before).toBeLessThanOrEqual(22);
    await lived(end);
    expect(provider.requests - before).toBeGreaterThan(30);
    expect((await end).late).toBeLessThan(1_000);
  });

  it('is noticed in time when it is much quicker than those, at the latest after three seconds, and teaches that', async () => {
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate);
    const times = [60_000, 2_000, 2_000];
    const ends = await lived(window(provider, reader, { times, size: 1 }));
    const [, quicker, next] = ends.map(({ late }) => late);
    expect(quicker).toBeLessThan(3_100);
    expect(next).toBeLessThan(250);
  });
});

it('looks at what is around its usual time at least every second, and never more seldom than every three', () => {
  const pauses = (least: number, most: number): number[] =>
    Array.from({ length: 100 }, (_, at) => least + ((most - least) * at) / 100).flatMap((age) =>
      [[], [USUAL]].flatMap((seen) => pausesOf([{ age, usual: USUAL, seen }])),
    );
  expect(Math.max(...pauses(USUAL * 0.8, USUAL * 3))).toBeLessThanOrEqual(1_000);
  expect(Math.max(...pauses(0, USUAL * 100))).toBe(3_000);
  expect(Math.min(...pauses(0, USUAL * 100))).toBe(100);
});

describe('two renders', () => {
  const two = async (options: ProviderOptions, times = [10_000, 20_000], change = {}) => {
    const provider = new RenderingProvider(options);
    const reader = readerOf(provider.replicate);
    const both = times.map((time) => provider.create(time, change));
    const ends = await lived(Promise.all(both.map((one) => endOf(reader, one))));
    return { provider, ends };
  };

  it('are read out of one list, from when the older began by the provider', async () => {
    const created_at = '2025-05-05T05:05:05.000Z';
    const { provider } = await two({}, [10_000, 10_000], { created_at });
    expect(provider.asked.gets).toEqual([]);
    expect(new Set(provider.asked.lists)).toEqual(new Set([Date.parse(created_at) - 2_000]));
  });

  it('are believed to have ended when reading them says so, where the list leaves anything out', async () => {
    const { provider, ends } = await two({ listed: (it) => ({ ...it, predict_time: null }) });
    expect(ends.map(({ prediction }) => prediction.predict_time)).toEqual([1, 1]);
    expect(provider.asked.gets).toContain('p0');
  });

  it('that have failed are read by themselves', async () => {
    const { provider } = await two({}, [10_000, 10_000], { status: 'failed' });
    expect(provider.asked.gets.toSorted()).toEqual(['p0', 'p1']);
  });

  it('are read each by itself where the list takes more requests than that', async () => {
    const { provider } = await two({ page_size: 2, others: 9 });
    expect(provider.asked.gets.length).toBeGreaterThan(20);
    expect(provider.asked.lists.length).toBeLessThan(5);
  });

  it('are read each by itself once the list has shown an end late', async () => {
    const provider = new RenderingProvider({ lag: 8_000 });
    const reader = readerOf(provider.replicate);
    const times = [10_000, 10_000, 10_000, 10_000, 10_000, 10_000];
    const ends = await lived(window(provider, reader, { times, size: 2 }));
    expect(ends[0]?.late).toBeGreaterThan(8_000);
    for (const { late } of ends.slice(2)) expect(late).toBeLessThan(1_000);
  });

  it('are read each by itself where what is listed holds files', async () => {
    const output = { type: 'inline', data: 'data:video/mp4;base64,AA==' } as const;
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate);
    const both = [10_000, 20_000].map((time) => provider.create(time, { output }));
    await lived(Promise.all(both.map((one) => endOf(reader, one))));
    const lists = provider.asked.lists.length;
    await lived(window(provider, reader, { times: [5_000, 5_000], size: 2 }));
    expect(provider.asked.lists).toHaveLength(lists);
  });

  it('of which the list leaves one out are both noticed', async () => {
    const { provider, ends } = await two(
      { listed: (it) => (it.id === 'p0' ? null : it) },
      [10_000, 10_000],
    );
    expect(ends.map(({ late }) => late < 6_000)).toEqual([true, true]);
    expect(provider.asked.gets).not.toContain('p1');
  });
});

it('reads a prediction of which only the id is known at once, by itself', async () => {
  const provider = new RenderingProvider();
  const reader = readerOf(provider.replicate, 'an hour between looks');
  using reading = opened(reader, provider.create(60_000), false);
  expect(await lived(reading.next(signal))).toMatchObject({ prediction: { status: 'processing' } });
  expect(provider.asked).toEqual({ lists: [], gets: ['p0'] });
});

describe('a hint', () => {
  it('has a prediction read at once, whenever it would have been looked at', async () => {
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate, 'an hour between looks');
    const one = provider.create(10_000);
    using reading = opened(reader, one);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(provider.requests).toBe(0);
    reading.hurry();
    expect(await lived(reading.next(signal))).toMatchObject({ prediction: { id: one.id } });
    expect(provider.asked).toEqual({ lists: [], gets: ['p0'] });
  });

  it('that comes while an older answer is on its way has it read once more', async () => {
    const provider = new RenderingProvider({ takes: 1_000 });
    const reader = readerOf(provider.replicate, 'an hour between looks');
    using reading = opened(reader, provider.create(600));
    reading.hurry();
    await vi.advanceTimersByTimeAsync(800);
    for (const _ of [1, 2, 3]) reading.hurry();
    const statuses: string[] = [];
    while (statuses.at(-1) !== 'succeeded') {
      const answer = await lived(reading.next(signal));
      if (answer?.type === 'found') statuses.push(answer.prediction.status);
    }
    expect(statuses).toEqual(['processing', 'succeeded']);
    expect(provider.asked.gets).toHaveLength(2);
  });
});

describe('a provider that asks to wait', () => {
  const BUSY: ReadOutcome = { type: 'unreadable', message: 'HTTP 429', retry_after: 7 };

  it.each([1, 3])('is asked for nothing meanwhile, with %i open', async (count) => {
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate);
    const all = Array.from({ length: count }, () => opened(reader, provider.create(60_000)));
    provider.instead.push(BUSY);
    const answers = await lived(Promise.all(all.map((one) => one.next(signal))));
    for (const answer of answers) expect(answer).toMatchObject({ message: 'HTTP 429' });
    all[0]?.hurry();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(provider.requests).toBe(1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(provider.requests).toBeGreaterThan(1);
    for (const one of all) one[Symbol.dispose]();
  });

  it('and does not say for how long is asked once a second', async () => {
    const provider = new RenderingProvider();
    const reader = readerOf(provider.replicate);
    using _reading = opened(reader, provider.create(600_000));
    provider.instead.push(...Array.from({ length: 100 }, () => ({ ...BUSY, retry_after: 0 })));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(provider.requests).toBeLessThanOrEqual(21);
  });

  it('by answering slowly is given as long to rest', async () => {
    const provider = new RenderingProvider({ takes: 1_500 });
    const reader = readerOf(provider.replicate);
    const all = Array.from({ length: 50 }, () => opened(reader, provider.create(600_000)));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(provider.requests).toBeLessThanOrEqual(20);
    for (const one of all) one[Symbol.dispose]();
  });
});

it('asks for nothing when no reading is open', async () => {
  const provider = new RenderingProvider();
  const reader = readerOf(provider.replicate);
  opened(reader, provider.create(60_000))[Symbol.dispose]();
  const controller = new AbortController();
  using reading = opened(reader, provider.create(60_000));
  const next = reading.next(controller.signal);
  controller.abort();
  expect(await next).toBeNull();
  reading[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(provider.requests).toBe(0);
});

describe('a worker with 200 predictions open, on an account on which 500 are created a minute', () => {
  it.each([300, 20])(
    'asks less than 600 times a minute where a page takes %i ms, and sees each end',
    async (takes) => {
      const runs = 240_000;
      const account = new BusyAccount({ rate: 500, runs, takes });
      const reader = readerOf(account.replicate);
      let ended = 0;
      const over = new AbortController();
      const follow = async ({ id, created_at }: ProviderPrediction): Promise<void> => {
        using reading = reader.open({ id, created_at, kind: 'a model', usual: USUAL });
        for (;;) {
          const answer = await reading.next(over.signal);
          if (answer === null) return;
          if (answer.type === 'found' && answer.prediction.status === 'succeeded') break;
        }
        ended += 1;
      };
      const own = account.running().filter((_, at) => at % 10 === 0);
      for (const one of own) void follow(one);
      const MINUTES = 3;
      for (let second = 0; second < MINUTES * 60; second++)
        await vi.advanceTimersByTimeAsync(1_000);
      expect(account.requests / MINUTES).toBeLessThan(600);
      // All but the youngest, whose end is yet to come.
      const due = own.filter(({ created_at }) => Date.now() - Date.parse(created_at) > runs + 20e3);
      expect(ended).toBeGreaterThanOrEqual(due.length);
      over.abort();
      await vi.advanceTimersByTimeAsync(60_000);
    },
  );
});
