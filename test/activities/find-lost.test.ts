/** When "nothing was created" may be believed, and what is taken for the lost one. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Execution } from '../../src/activities/execution.js';
import { findLost } from '../../src/activities/find-lost.js';
import { WAITS } from '../../src/activities/waits.js';
import type { Deps } from '../../src/activities/deps.js';
import { createPredictionIndex } from '../../src/adapters/replicate/prediction-index.js';
import { MeasuredClock } from '../../src/adapters/replicate/provider-clock.js';
import type {
  PageOutcome,
  ProviderPrediction,
  Replicate,
  Span,
} from '../../src/adapters/replicate/replicate-client.js';
import { BusyAccount } from '../support/busy-account.js';
import { rendered } from './rendered.js';
import { UNCLAIMED } from './paid-activity.js';

afterEach(() => vi.restoreAllMocks());

const INPUT = { prompt: 'a' };
const WATCH = WAITS.search.watch;

interface Reading {
  takes: number;
  finds: ProviderPrediction[] | null;
}

/** Looks with a clock that moves while a list is read or waited for: `readings` are what each finds, and how long it takes. */
async function look(
  readings: Reading[],
  claimed: ReadonlySet<string> = new Set(),
): Promise<{ found: string | undefined; asked: number }> {
  let now = performance.now();
  let asked = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const all = new Map(readings.flatMap(({ finds }) => finds ?? []).map((one) => [one.id, one]));
  const replicate = {
    clock: { now: () => Date.now(), ahead: 0, error: 2_000 },
    page: (): Promise<PageOutcome> => {
      const { takes, finds } = readings[asked++] ?? { takes: WATCH, finds: [] };
      now += takes;
      return Promise.resolve(
        finds === null
          ? { type: 'unreadable', message: 'HTTP 500' }
          : { type: 'page', predictions: finds, odd: 0, next: null },
      );
    },
    get: (id: string) => Promise.resolve({ type: 'found', prediction: all.get(id) }),
  } as unknown as Replicate;
  const owner = (id: string) => Promise.resolve(claimed.has(id) ? 'another/0' : null);
  const found = await findLost(
    {
      ...UNCLAIMED,
      replicate,
      index: createPredictionIndex(replicate),
      claims: { ...UNCLAIMED.claims, owner },
    } as unknown as Deps,
    {
      beat: () => undefined,
      wait: (milliseconds: number) => Promise.resolve(void (now += milliseconds)),
      interruption: null,
      state: {},
    } as unknown as Execution,
    {
      model: 'a/b',
      input: INPUT,
      since: new Date().toISOString(),
      owner: 'job/0',
      exclude: new Set(['known']),
    },
  );
  return { found: found?.id, asked };
}

it('believes that nothing was created only when it asked after the whole watch, however long an answer took', async () => {
  const late = { takes: WATCH + 1, finds: [] };
  expect(await look([late, { takes: 1, finds: [rendered('late')] }])).toEqual({
    found: 'late',
    asked: 2,
  });
  expect(await look([late, { takes: 1, finds: [] }])).toEqual({ found: undefined, asked: 2 });
});

it('believes no list that it could not read', async () => {
  const { found } = await look([
    { takes: 1, finds: [] },
    { takes: WATCH, finds: null },
    { takes: WATCH, finds: null },
    { takes: 1, finds: [rendered('late')] },
  ]);
  expect(found).toBe('late');
});

it('takes the finished one of several, never one that another clip has or that is known already', async () => {
  const running = { ...rendered('running'), status: 'processing' as const };
  const other = { ...rendered('other'), input: { prompt: 'b' } };
  const finds = [rendered('known'), other, running, rendered('theirs'), rendered('done')];
  expect((await look([{ takes: 1, finds }], new Set(['theirs']))).found).toBe('done');
});

it('takes one whose input the provider has erased, of the same model, rather than believe that there is none', async () => {
  const erased = (id: string, change: Partial<ProviderPrediction> = {}): ProviderPrediction => ({
    ...rendered(id),
    input: {},
    output_url: null,
    data_removed: true,
    ...change,
  });
  const finds = [erased('other-model', { model: 'c/d' }), erased('theirs'), erased('lost')];
  expect((await look([{ takes: 1, finds }], new Set(['theirs']))).found).toBe('lost');
  const exact = rendered('exact');
  expect((await look([{ takes: 1, finds: [...finds, exact] }])).found).toBe('exact');
});

describe('with clocks that are apart', () => {
  const MINUTE = 60_000;
  const aheads = fc.integer({ min: -90 * MINUTE, max: 90 * MINUTE });

  /** What was created after `since`, at a provider whose clock is `ahead`, is looked for with a real filter. */
  async function lookAt(ahead: number, createdAfterSince: number, heard: boolean): Promise<number> {
    const since = Date.now() - 5 * MINUTE;
    const created_at = new Date(since + createdAfterSince + ahead).toISOString();
    const all = [{ ...rendered('lost'), created_at }];
    const clock = new MeasuredClock();
    const hear = (): void => {
      const at = performance.now();
      const date = new Date(Date.now() + ahead).toUTCString();
      clock.hear({ date, age: null, asked: at, answered: at });
    };
    if (heard) hear();
    let asked = 0;
    const replicate = {
      clock,
      page: ({ after, before }: Span): Promise<PageOutcome> => {
        asked += 1;
        hear();
        const predictions = all.filter(({ created_at }) => {
          const time = Date.parse(created_at);
          return time >= after && time < (before ?? Infinity);
        });
        return Promise.resolve({ type: 'page', predictions, odd: 0, next: null });
      },
      get: () => Promise.resolve({ type: 'found', prediction: all[0] }),
    } as unknown as Replicate;
    const wanted = { model: 'a/b', input: INPUT, owner: 'job/0', exclude: new Set<string>() };
    const found = await findLost(
      { ...UNCLAIMED, replicate, index: createPredictionIndex(replicate) } as unknown as Deps,
      {
        beat: () => undefined,
        wait: () => Promise.reject(new Error('expected to find it in the first reading')),
        interruption: null,
      } as unknown as Execution,
      { ...wanted, since: new Date(since).toISOString() },
    );
    expect(found?.id).toBe('lost');
    return asked;
  }

  it('finds what was created in the time that counts, with any clock of the provider', async () => {
    const created = fc.integer({ min: 0, max: 5 * MINUTE });
    await fc.assert(
      fc.asyncProperty(aheads, created, fc.boolean(), async (ahead, after, heard) => {
        // The time is asked for before the first page that counts; the last minute is read before the rest.
        expect(await lookAt(ahead, after, heard)).toBeLessThanOrEqual(heard ? 3 : 4);
      }),
    );
  });
});

describe('on an account on which 500 predictions are created a minute, where a page takes 300 ms', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Searches of one worker for clips that began 17 minutes ago: what they find, and what that costs. */
  async function search(wanted: readonly string[], account: BusyAccount) {
    const { replicate } = account;
    const index = createPredictionIndex(replicate);
    const begun = Date.now();
    const since = new Date(begun - 17 * 60_000).toISOString();
    const wait = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, milliseconds));
    let over = 0;
    const searches = wanted.map(async (prompt) => {
      const found = await findLost(
        { ...UNCLAIMED, replicate, index } as unknown as Deps,
        { beat: () => undefined, wait, interruption: null, state: {} } as unknown as Execution,
        { model: 'a/b', input: { prompt }, since, owner: 'job/0', exclude: new Set() },
      );
      over += 1;
      return found?.id;
    });
    while (over < wanted.length) await vi.advanceTimersByTimeAsync(100);
    const found = await Promise.all(searches);
    return { found, asked: account.requests, seconds: (Date.now() - begun) / 1000 };
  }
  const absent = (count: number): string[] =>
    Array.from({ length: count }, (_, at) => `absent ${String(at)}`);

  it('says within 30 of its seconds that nothing was created, and ten searches take the requests of two', async () => {
    const account = (): BusyAccount => new BusyAccount({ rate: 500 });
    const two = await search(absent(2), account());
    const ten = await search(absent(10), account());
    expect(two.found).toEqual([undefined, undefined]);
    expect(ten.found).toEqual(Array.from({ length: 10 }));
    expect([two.seconds, ten.seconds].every((seconds) => seconds < 30)).toBe(true);
    expect(ten.asked).toBeLessThanOrEqual(two.asked);
  });

  it('finds what was created long ago before all is read, and what is listed in the last second of the watch', async () => {
    const account = new BusyAccount({ rate: 500 });
    const created_at = new Date(Date.now() - 16 * 60_000).toISOString();
    account.add('early', { input: { prompt: 'early' }, created_at });
    account.add('late', { input: { prompt: 'late' } }, 11_500);
    const { found, asked } = await search(['early', 'late'], account);
    expect(found).toEqual(['early', 'late']);
    expect(asked).toBeLessThan(150);
  });
});
